/** The functions of the shipped models' matchers, as casbin calls them: once for each rule of a file. */

import { LRUCache } from 'lru-cache'
import { apiKeyOf } from '../../protocol/api-key.ts'
import { isSecondary } from './api-questions.ts'
import { compileHostPattern, type HostMatch } from './host-pattern.ts'
import { compileExpression, readNamePattern } from './name-pattern.ts'
import type { Question } from './policy.ts'
import { ANY_OPERATION, EVERYBODY, implies, isOperation, ROLE_PREFIX, USER_PREFIX } from './vocabulary.ts'

type KafkaFunction = (...args: unknown[]) => boolean

const COMPILED_MAX = 10_000

/** `asking` gives the question under way: whether it is secondary has no column of its own. */
export function createKafkaFunctions(asking: () => Omit<Question, 'name'>): ReadonlyMap<string, KafkaFunction> {
  const names = new LRUCache<string, (name: string) => boolean>({ max: COMPILED_MAX })
  const hosts = new LRUCache<string, HostMatch>({ max: COMPILED_MAX })
  return new Map<string, KafkaFunction>([
    ['kafkaSubject', (asked, who, holds) => matchesSubject(String(asked), String(who), holds === true)],
    [
      'kafkaName',
      (asked, text) => {
        const matches = names.get(String(text)) ?? compileName(String(text))
        names.set(String(text), matches)
        return matches(String(asked))
      },
    ],
    ['kafkaAction', (_api, _operation, act, effect) => matchesAction(asking(), String(act), effect === 'deny')],
    [
      'kafkaHost',
      (asked, text) => {
        const matches = hosts.get(String(text)) ?? compileHostPattern(String(text))
        if (matches === undefined) throw new Error(`"${text}" is no host`)
        hosts.set(String(text), matches)
        return matches(String(asked))
      },
    ],
  ])
}

function matchesSubject(asked: string, who: string, holds: boolean): boolean {
  if (!asked.startsWith(USER_PREFIX)) throw new Error(`a principal begins with ${USER_PREFIX}`)
  if (who === EVERYBODY) return true
  return who.startsWith(ROLE_PREFIX) ? holds : who === asked
}

export function compileName(text: string): (name: string) => boolean {
  const pattern = readNamePattern(text)
  if (pattern.kind === 'exact') return name => name === pattern.name
  if (pattern.kind === 'prefix') return name => name.startsWith(pattern.prefix)
  return compileExpression(pattern.expression)
}

export function matchesAction(
  { api, operation, type, secondary }: Omit<Question, 'name'>,
  act: string,
  isDeny: boolean,
): boolean {
  if (act === ANY_OPERATION) return true
  if (isOperation(act)) return isDeny ? act === operation : implies(act, operation)
  if (apiKeyOf(act) === undefined) throw new Error(`"${act}" is neither an operation nor an API key`)
  return act === api && (isDeny || !(secondary || isSecondary(api, type, operation)))
}
