/**
 * What AlterConfigs and IncrementalAlterConfigs have in common: what is malformed is refused before anybody asks for
 * rights (ConfigAdminManager.preprocess), then come the rights (ControllerApis.authorizeAlterResource), then the settings
 * of topics that clients may choose.
 */
import { ErrorCode } from '../protocol/error-code.ts'
import {
  asking,
  ConfigResourceType,
  type ConfigTypeName,
  configDenial,
  configTypeName,
  mayUseConfigs,
} from './config-resource.ts'
import { errorMessage } from './error-messages.ts'
import type { Judge } from './judge.ts'
import { repeatedValues } from './repeated.ts'
import { closedConfigs } from './topic-configs.ts'
import { isTopicName } from './topic-names.ts'

export interface ConfigChange {
  readonly resourceType: number
  readonly resourceName: string
  readonly configs: readonly {
    readonly name: string
    readonly value: string | null
    readonly configOperation?: number
  }[]
}

export interface ChangeFailure {
  errorCode: number
  errorMessage: string | null
  resourceType: number
  resourceName: string
}

export interface ChangeRules {
  readonly judge: Judge
  readonly isOpen: (type: ConfigTypeName) => boolean
  /** Types this API knows. */
  readonly knows: (type: ConfigTypeName) => boolean
  readonly topicConfigs: ReadonlySet<string> | undefined
}

export function judgeChanges<T extends ConfigChange>(changes: readonly T[], rules: ChangeRules) {
  const failures: ChangeFailure[] = []
  const keys = changes.map(keyOf)
  const repeated = repeatedValues(keys)
  const allowed = changes.filter((change, at) => {
    const failure = repeated.has(keys[at]!) ? invalid(repeatedText) : failureOf(change, rules)
    if (failure === undefined) return true
    const { errorCode, errorMessage } = failure
    const { resourceType, resourceName } = change
    failures.push({ errorCode, errorMessage, resourceType, resourceName })
    return false
  })
  return { allowed, failures }
}

type Failure = Pick<ChangeFailure, 'errorCode' | 'errorMessage'>

const repeatedText = 'Each resource must appear at most once.'
const invalid = (text: string): Failure => ({ errorCode: ErrorCode.INVALID_REQUEST, errorMessage: text })

const keyOf = ({ resourceType, resourceName }: ConfigChange): string => `${resourceType} ${resourceName}`

function failureOf(change: ConfigChange, { judge, isOpen, knows, topicConfigs }: ChangeRules): Failure | undefined {
  const malformed = malformation(change)
  if (malformed !== undefined) return invalid(malformed)
  const { resourceType, configs } = change
  const typeName = configTypeName(resourceType)
  if (typeName === undefined || !knows(typeName)) return invalid(`Unknown resource type ${resourceType}`)
  if (!isOpen(typeName) || !mayUseConfigs('alterConfigs', change, asking(judge))) return denial(resourceType)
  // A broker refuses a name that no topic can have before it looks at settings.
  const isTopic = resourceType === ConfigResourceType.topic && isTopicName(change.resourceName)
  const closed = isTopic ? closedConfigs(configs, topicConfigs) : undefined
  return closed === undefined ? undefined : { errorCode: ErrorCode.POLICY_VIOLATION, errorMessage: closed }
}

const deleteOperation = 1

function malformation({ configs }: ConfigChange): string | undefined {
  if (new Set(configs.map(({ name }) => name)).size < configs.length) return 'Error due to duplicate config keys'
  const nulls = configs.filter(({ value, configOperation }) => value === null && configOperation !== deleteOperation)
  return nulls.length === 0 ? undefined : `Null value not supported for : ${nulls.map(({ name }) => name).join(', ')}`
}

/** Loggers are changed by the broker itself, whose exception leaves the text out. (RuntimeLoggerManager) */
function denial(resourceType: number): Failure {
  const errorCode = configDenial(resourceType)
  const isLogger = resourceType === ConfigResourceType.brokerLogger
  return { errorCode, errorMessage: isLogger ? null : errorMessage(errorCode) }
}
