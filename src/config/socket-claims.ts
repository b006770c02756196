import { isIP } from 'node:net'
import { isWildcard, printed } from './addresses.ts'
import type { Place } from './place.ts'

/** What the name localhost may stand for, and the wildcard that covers it. */
const LOCALHOST = ['127.0.0.1', '::1', '0.0.0.0']

interface Claim {
  readonly place: Place
  readonly host: string
  readonly first: number
  readonly last: number
}

/** Every port the gateway will bind, to find the ones that two parts of the configuration want. */
export class SocketClaims {
  readonly #claims: Claim[] = []

  claim(place: Place, host: string, first: number, count = 1): void {
    this.#claims.push({ place, host, first, last: first + count - 1 })
  }

  /** How many descriptors listening takes. */
  get sockets(): number {
    return this.#claims.reduce((sum, { first, last }) => sum + last - first + 1, 0)
  }

  reportOverlaps(): void {
    this.#claims.forEach((claim, index) => {
      const other = this.#claims.slice(0, index).find(earlier => overlaps(earlier, claim))
      if (other) claim.place.problem(overlapMessage(claim, other))
    })
  }
}

function overlaps(a: Claim, b: Claim): boolean {
  // The system gives every 0 another port.
  if (a.first === 0 || b.first === 0) return false
  return a.first <= b.last && b.first <= a.last && hostsMeet(a.host, b.host)
}

function hostsMeet(a: string, b: string): boolean {
  if (a === b || a === '::' || b === '::') return true
  if (a === 'localhost' || b === 'localhost') return [a, b].some(host => LOCALHOST.includes(host))
  return (isWildcard(a) && isIP(b) !== 6) || (isWildcard(b) && isIP(a) !== 6)
}

function overlapMessage(claim: Claim, other: Claim): string {
  const ports = other.first === other.last ? String(other.first) : `${other.first}-${other.last}`
  const shared = Math.max(claim.first, other.first)
  return `port ${shared} is taken by ${other.place.path} (${printed(other.host, ports)}): choose another`
}
