/**
 * Large messages are decided ahead. The row of an API judges a message in one go, and one of many thousand names would
 * keep everybody else waiting meanwhile; so before it does, what the message names is put to the policy a little at a
 * time, in turns with all other work. The row then finds verdicts where it would have had to ask.
 *
 * This decides nothing: what is not foreseen here (an id that nobody knows yet, the topics of a session) is asked by the
 * row as ever, and what is foreseen and not asked is neither counted nor written down.
 */
import type { Exchange } from '../pipeline/exchange.ts'
import { type SensitiveKind, sensitiveFields } from '../protocol/sensitive-fields.ts'
import { ConfigResourceType } from './config-resource.ts'
import type { AclFacts } from './enforcement.ts'
import { KeyType } from './find-coordinator.ts'
import type { Judge } from './judge.ts'
import { isSecondary, questionsOf } from './policy/api-questions.ts'
import { group, type Right, topic, transactionalId } from './rights.ts'

/** Where a message has names: `topics.name` as steps, lists left out. */
interface Place {
  readonly kind: SensitiveKind
  readonly steps: readonly string[]
}

interface Named {
  readonly right: Right
  readonly isSecondary: boolean
  readonly name: string
}

type Names = Iterator<Named, undefined>
type Pause = () => Promise<void> | undefined
type Struct = Readonly<Record<string, unknown>>

const kinds: ReadonlySet<SensitiveKind> = new Set([
  'topic',
  'topicId',
  'group',
  'transactionalId',
  'resource',
  'coordinatorKey',
])

const placesByMessage = new Map<string, Place[]>()
for (const { path, kind } of sensitiveFields) {
  if (!kinds.has(kind)) continue
  const [message, ...steps] = path.split('.') as [string, ...string[]]
  const places = placesByMessage.get(message)
  if (places === undefined) placesByMessage.set(message, [{ kind, steps }])
  else places.push({ kind, steps })
}

const rightsByType = { topic, group, transactionalId }
type NamedType = keyof typeof rightsByType

export type DecideAhead = (
  message: 'Request' | 'Response',
  body: unknown,
  judge: Judge,
  exchange: Exchange,
) => Promise<void> | undefined

/** The promise resolves when all is decided; undefined where it is already. */
export function createDecideAhead({ topics, pause }: Required<Pick<AclFacts, 'topics' | 'pause'>>): DecideAhead {
  return (message, body, judge, { api }) => {
    const names = namesIn(`${api.name}${message}`, body, api.name, topics.nameOf.bind(topics))
    const turn = decideSome(names, judge, pause)
    return turn === undefined ? undefined : decideRest(turn, names, judge, pause)
  }
}

/** Goes on until it has to make way for others; undefined where it came to the end. */
function decideSome(names: Names, judge: Judge, pause: Pause): Promise<void> | undefined {
  for (let next = names.next(); next.done !== true; next = names.next()) {
    const { right, isSecondary, name } = next.value
    judge.foresee(right, name, isSecondary)
    const turn = pause()
    if (turn !== undefined) return turn
  }
  return undefined
}

async function decideRest(first: Promise<void>, names: Names, judge: Judge, pause: Pause): Promise<void> {
  let turn: Promise<void> | undefined = first
  while (turn !== undefined) {
    await turn
    turn = decideSome(names, judge, pause)
  }
}

function* namesIn(
  message: string,
  body: unknown,
  api: string,
  nameOf: (topicId: string) => string | undefined,
): Generator<Named, undefined> {
  const asked = rightsAsked(api)
  for (const { kind, steps } of placesByMessage.get(message) ?? []) {
    for (const { value, struct } of valuesAt(body as Struct, steps, 0)) {
      if (typeof value !== 'string') continue
      const type = typeOf(kind, struct)
      const name = kind === 'topicId' ? nameOf(value) : value
      if (type === undefined || name === undefined) continue
      for (const { right, isSecondary } of asked[type]) yield { right, isSecondary, name }
    }
  }
}

/** Each value at a place, with the struct that it is a field of. */
function* valuesAt(
  struct: Struct,
  steps: readonly string[],
  at: number,
): Generator<{ value: unknown; struct: Struct }> {
  const value = struct[steps[at]!]
  const isLast = at === steps.length - 1
  for (const each of Array.isArray(value) ? value : [value]) {
    if (isLast) yield { value: each, struct }
    else if (each !== null && each !== undefined) yield* valuesAt(each as Struct, steps, at + 1)
  }
}

function typeOf(kind: SensitiveKind, { resourceType, keyType }: Struct): NamedType | undefined {
  switch (kind) {
    case 'resource':
      if (resourceType === ConfigResourceType.topic) return 'topic'
      return resourceType === ConfigResourceType.group ? 'group' : undefined
    case 'coordinatorKey':
      if (keyType === KeyType.group) return 'group'
      return keyType === KeyType.transaction ? 'transactionalId' : undefined
    case 'topicId':
      return 'topic'
    default:
      return kind as NamedType
  }
}

interface Asked {
  readonly right: Right
  readonly isSecondary: boolean
}

type AskedByType = Readonly<Record<NamedType, readonly Asked[]>>

const askedByApi = new Map<string, AskedByType>()

function rightsAsked(api: string): AskedByType {
  const known = askedByApi.get(api)
  if (known !== undefined) return known
  const asked = {
    topic: rightsOn('topic', api),
    group: rightsOn('group', api),
    transactionalId: rightsOn('transactionalId', api),
  }
  askedByApi.set(api, asked)
  return asked
}

function rightsOn(type: NamedType, api: string): Asked[] {
  const rights: Readonly<Record<string, Right>> = rightsByType[type]
  return (questionsOf(api)?.[type] ?? []).map(word => {
    const right = rights[word.replace('?', '')]!
    return { right, isSecondary: isSecondary(api, right.type, right.operation) }
  })
}
