/**
 * Which address a client is told for a broker. Pure arithmetic over node ids, so that it holds before the first
 * metadata, after a restart, and on every gateway alike.
 */

export interface AdvertisedAddress {
  readonly host: string
  readonly port: number
}

export interface AddressBook {
  /** The address of a broker as clients see it; undefined where this listener has none for it. */
  addressOf(nodeId: number): AdvertisedAddress | undefined
}

export interface PortRange {
  readonly first: number
  readonly count: number
  /** Node id that the first port belongs to. */
  readonly firstId: number
}

/** `expose: ports`: the port of broker n is `first + n − firstId`. */
export function portOf(nodeId: number, range: PortRange): number | undefined {
  const at = nodeId - range.firstId
  return Number.isInteger(at) && at >= 0 && at < range.count ? range.first + at : undefined
}

export function portsAddressBook(host: string, range: PortRange): AddressBook {
  return {
    addressOf(nodeId) {
      const port = portOf(nodeId, range)
      return port === undefined ? undefined : { host, port }
    },
  }
}
