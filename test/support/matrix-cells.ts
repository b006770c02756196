/** Which ways in are tried with which ways on: how a client comes to the gateway, and how the gateway to the broker. */

export const transports = ['plaintext', 'TLS', 'mTLS'] as const
export const logins = ['none', 'PLAIN', 'SCRAM-SHA-256', 'SCRAM-SHA-512', 'OAUTHBEARER'] as const

export interface Side {
  readonly transport: (typeof transports)[number]
  readonly login: (typeof logins)[number]
}

export interface Cell {
  readonly front: Side
  readonly back: Side
  /** With passthrough the front has no login of its own: the client logs in at the broker, as `back` says. */
  readonly mode: 'service' | 'mapped' | 'passthrough'
}

/** What the configuration refuses, in the words it does so. */
export const refusedFronts: readonly (Side & { readonly reason: string })[] = [
  {
    transport: 'plaintext',
    login: 'PLAIN',
    reason: 'PLAIN sends its secret as it is, and this listener has no TLS: write tls, or take PLAIN out',
  },
  {
    transport: 'plaintext',
    login: 'OAUTHBEARER',
    reason: 'OAUTHBEARER sends its secret as it is, and this listener has no TLS: write tls, or take OAUTHBEARER out',
  },
]

export const sides: readonly Side[] = transports.flatMap(transport => logins.map(login => ({ transport, login })))
export const nameOf = ({ transport, login }: Side): string => (login === 'none' ? transport : `${transport} ${login}`)
const isSame = (one: Side, other: Side): boolean => nameOf(one) === nameOf(other)

export const fronts = sides.filter(side => !refusedFronts.some(refused => isSame(side, refused)))
/** Towards brokers nothing is refused: what goes in the clear is warned of. */
export const backs = sides

const usual: Side = { transport: 'TLS', login: 'SCRAM-SHA-512' }
const service = (front: Side, back: Side): Cell => ({ front, back, mode: 'service' })
const everything = fronts.flatMap(front => backs.map(back => service(front, back)))

/** Each two choices of different kinds that a cell holds. */
export function pairsOf({ front, back }: Cell): string[] {
  const choices = [
    `client ${front.transport}`,
    `client login ${front.login}`,
    `broker ${back.transport}`,
    `broker login ${back.login}`,
  ]
  return choices.flatMap((one, at) => choices.slice(at + 1).map(other => `${one}, ${other}`))
}

export const allPairs: ReadonlySet<string> = new Set(everything.flatMap(pairsOf))

/** Greedy: of all cells the one that holds most pairs nobody has held yet, until there are none. */
function coverOf(chosen: readonly Cell[]): Cell[] {
  const held = new Set(chosen.flatMap(pairsOf))
  const added: Cell[] = []
  const newOf = (cell: Cell): number => pairsOf(cell).filter(pair => !held.has(pair)).length
  while (held.size < allPairs.size) {
    const best = everything.reduce((one, other) => (newOf(other) > newOf(one) ? other : one))
    added.push(best)
    for (const pair of pairsOf(best)) held.add(pair)
  }
  return added
}

const everyFront = fronts.map(front => service(front, usual))
const everyBack = backs.filter(back => !isSame(back, usual)).map(back => service(usual, back))

export const cells: readonly Cell[] = [
  ...everyFront,
  ...everyBack,
  ...coverOf([...everyFront, ...everyBack]),
  { front: usual, back: usual, mode: 'mapped' },
  { front: usual, back: { transport: 'mTLS', login: 'none' }, mode: 'mapped' },
  { front: { transport: 'TLS', login: 'none' }, back: usual, mode: 'passthrough' },
]

/** What every client library does: against the usual broker, so that only the front differs. */
export const commonCells: readonly Cell[] = everyFront.filter(({ front }) =>
  ['plaintext', 'TLS', 'TLS PLAIN', 'TLS SCRAM-SHA-512', 'TLS OAUTHBEARER', 'mTLS'].includes(nameOf(front)),
)

export function titleOf({ front, back, mode }: Cell): string {
  if (mode === 'passthrough') return `${nameOf(front)}, the login passed on to a broker with ${nameOf(back)}`
  return `${nameOf(front)} to a broker with ${nameOf(back)}${mode === 'mapped' ? ', each client as its own user' : ''}`
}
