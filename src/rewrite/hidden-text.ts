/**
 * Finds addresses in text that brokers write for people (error messages, values of broker configs). What looks like
 * an address is hidden even where it is none: a message that lost a word is better than a leak.
 */

const replacement = '[address]'

/** A host name or IPv4 address or bracketed IPv6 address, a colon, a port. */
const hostAndPort = /(?:\[[0-9a-fA-F:.%]+\]|(?<![\w.-])[A-Za-z0-9_](?:[\w.-]*\w)?):\d{1,5}(?!\w)/g
const ipv4 = /(?<![\w.])\d{1,3}(?:\.\d{1,3}){3}(?![\w.]*\w)/g
/** Two groups and more: `::1`, `fe80::1`, `2001:db8::7`. A time of day has no such form. */
const ipv6 = /(?<![\w:])(?:[0-9a-fA-F]{0,4}:){2,7}[0-9a-fA-F]{1,4}(?![\w:])/g

export interface HiddenText {
  /** The text with addresses replaced; the same string where there are none. */
  hide(text: string): string
  /** Does the text hold the name of a broker's host? */
  namesUpstream(text: string): boolean
}

/** `upstreamHosts` gives the hosts known now: brokers and bootstrap. */
export function createHiddenText(upstreamHosts: () => Iterable<string>): HiddenText {
  const namesIn = (text: string): string[] => {
    const lower = text.toLowerCase()
    return [...upstreamHosts()].filter(host => host.length > 0 && lower.includes(host.toLowerCase()))
  }
  return {
    hide(text) {
      let hidden = text.replace(ipv6, replacement).replace(hostAndPort, replacement).replace(ipv4, replacement)
      for (const host of namesIn(hidden)) hidden = hidden.replace(new RegExp(escaped(host), 'gi'), replacement)
      return hidden
    },
    namesUpstream: text => namesIn(text).length > 0,
  }
}

const escaped = (text: string): string => text.replace(/[\\^$.*+?()[\]{}|/-]/g, '\\$&')
