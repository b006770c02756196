/**
 * Finds addresses in text that brokers write for people (error messages, values of broker configs). What looks like
 * an address is hidden even where it is none: a message that lost a word is better than a leak.
 */

const replacement = '[address]'

/**
 * A host name or IPv4 address or bracketed IPv6 address, a colon, a port. Digits alone are a time of day, and what comes
 * after the word "partition" is how controllers write a topic and the number of a partition.
 */
const hostAndPort =
  /(?<!\bpartition (?!\d{1,3}(?:\.\d{1,3}){3}:|\[))(?:\[[0-9a-fA-F:.%]+\]|(?<![\w.-])(?!\d+:)[A-Za-z0-9_](?:[\w.-]*\w)?):\d{1,5}(?!\w)/g
const ipv4 = /(?<![\w.])\d{1,3}(?:\.\d{1,3}){3}(?![\w.]*\w)/g
/** Eight groups, or fewer with `::` among them. */
const ipv6 =
  /(?<![\w:])(?:(?:[0-9a-fA-F]{1,4}:){7}[0-9a-fA-F]{1,4}|(?=[0-9a-fA-F:]{0,39}::)[0-9a-fA-F:]{3,39})(?![\w:])/g

export interface HiddenText {
  /** The text with addresses replaced; the same string where there are none. */
  hide(text: string): string
  /** Does the text hold the name of a broker's host? */
  namesUpstream(text: string): boolean
}

/** `upstreamHosts` gives the hosts known now: brokers and bootstrap. */
export function createHiddenText(upstreamHosts: () => Iterable<string>): HiddenText {
  const patternsIn = (text: string): RegExp[] => {
    const lower = text.toLowerCase()
    const found = [...upstreamHosts()].filter(host => host.length > 0 && lower.includes(host.toLowerCase()))
    return found.map(patternOf).filter(pattern => text.search(pattern) >= 0)
  }
  return {
    hide(text) {
      let hidden = text.replace(hostAndPort, replacement).replace(ipv4, replacement).replace(ipv6, replacement)
      for (const pattern of patternsIn(hidden)) hidden = hidden.replace(pattern, replacement)
      return hidden
    },
    namesUpstream: text => patternsIn(text).length > 0,
  }
}

/** A host called `kafka` is not named by `org.apache.kafka`; a name with a dot in it is hidden wherever it occurs. */
function patternOf(host: string): RegExp {
  const name = host.replace(/[\\^$.*+?()[\]{}|/-]/g, '\\$&')
  const port = '(?::\\d{1,5}(?!\\w))?'
  return new RegExp(host.includes('.') ? name + port : `(?<![\\w-]|\\w\\.)${name}${port}(?![\\w-]|\\.\\w)`, 'gi')
}
