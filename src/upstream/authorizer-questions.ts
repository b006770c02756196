/** What a cluster's brokers say of their ACLs and of what decides by them, asked once, with the gateway's own identity. */
import type { BrokerSettings } from '../acl/policy/authorizer-settings.ts'
import { UpstreamError } from '../errors.ts'
import { ApiKey, apiName } from '../protocol/api-key.ts'
import type { RequestByKey, ResponseByKey } from '../protocol/codec.ts'
import { ErrorCode, errorName } from '../protocol/error-code.ts'
import type { DescribeAclsRequest } from '../protocol/generated/describe-acls-request.ts'
import type { DescribeAclsResponse } from '../protocol/generated/describe-acls-response.ts'
import { apiVersionsRequest, type Questions } from './cluster-watch.ts'
import type { HostAndPort } from './dialer.ts'

export interface AuthorizerQuestionsOptions {
  readonly bootstrap: readonly HostAndPort[]
  readonly connect: (target: HostAndPort) => Promise<Questions>
  readonly filter: DescribeAclsRequest
  readonly settings: readonly string[]
}

export interface AuthorizerAnswers {
  /** Undefined where brokers have no authorizer. */
  readonly acls: DescribeAclsResponse | undefined
  readonly brokers: readonly BrokerSettings[]
}

const brokerResource = 4
/** Prefixed patterns are told from this version on. */
const patternsFrom = 1
const newest = { [ApiKey.Metadata]: 12, [ApiKey.DescribeAcls]: 3, [ApiKey.DescribeConfigs]: 4 } as const
type Asked = keyof typeof newest

export async function askAuthorizer(options: AuthorizerQuestionsOptions): Promise<AuthorizerAnswers> {
  const { acls, targets } = await atFirstThatAnswers(options)
  const brokers: BrokerSettings[] = []
  for (const [nodeId, target] of targets) brokers.push(await settingsOf(nodeId, target, options))
  return { acls, brokers: brokers.sort((a, b) => a.nodeId - b.nodeId) }
}

async function atFirstThatAnswers({ bootstrap, connect, filter }: AuthorizerQuestionsOptions) {
  const failures: string[] = []
  for (const target of bootstrap) {
    try {
      return await withQuestions(await connect(target), async ask => {
        const { brokers } = await ask(ApiKey.Metadata, quietMetadata, 1)
        const targets = brokers.map(({ nodeId, host, port }) => [nodeId, { host, port }] as const)
        return { acls: checked(await ask(ApiKey.DescribeAcls, filter, patternsFrom)), targets }
      })
    } catch (error) {
      // What the cluster refuses, another broker refuses too.
      if (error instanceof UpstreamError && !error.retriable) throw error
      failures.push(`${target.host}:${target.port}: ${error instanceof Error ? error.message : error}`)
    }
  }
  throw new UpstreamError('VKITM_UPSTREAM_UNREACHABLE', `no broker answered: ${failures.join('; ')}`, {
    retriable: true,
  })
}

const quietMetadata = {
  topics: [],
  allowAutoTopicCreation: false,
  includeClusterAuthorizedOperations: false,
  includeTopicAuthorizedOperations: false,
}

function checked(answer: DescribeAclsResponse): DescribeAclsResponse | undefined {
  if (answer.errorCode === ErrorCode.NONE) return answer
  if (answer.errorCode === ErrorCode.SECURITY_DISABLED) return undefined
  const isDenied = answer.errorCode === ErrorCode.CLUSTER_AUTHORIZATION_FAILED
  const what = isDenied ? 'allow Describe on the cluster to the identity of `upstream`' : (answer.errorMessage ?? '')
  throw new UpstreamError(
    'VKITM_UPSTREAM_REFUSED',
    `the cluster does not tell its ACLs (${errorName(answer.errorCode)}): ${what}`,
    { retriable: false },
  )
}

async function settingsOf(
  nodeId: number,
  target: HostAndPort,
  { connect, settings }: AuthorizerQuestionsOptions,
): Promise<BrokerSettings> {
  const none = new Map<string, string | null>()
  try {
    return await withQuestions(await connect(target), async ask => {
      const resource = {
        resourceType: brokerResource,
        resourceName: String(nodeId),
        configurationKeys: [...settings],
      }
      const request = { resources: [resource], includeSynonyms: false, includeDocumentation: false }
      const [result] = (await ask(ApiKey.DescribeConfigs, request, 1)).results
      if (result === undefined || result.errorCode !== ErrorCode.NONE)
        return {
          nodeId,
          failure: `not told (${errorName(result?.errorCode ?? ErrorCode.UNKNOWN_SERVER_ERROR)}): allow DescribeConfigs on the cluster to the identity of upstream`,
          settings: none,
        }
      return { nodeId, settings: new Map(result.configs.map(({ name, value }) => [name, value])) }
    })
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error)
    return { nodeId, failure: `not told: ${target.host}:${target.port} did not answer (${why})`, settings: none }
  }
}

type Ask = <Key extends Asked>(key: Key, body: RequestByKey[Key], oldest: number) => Promise<ResponseByKey[Key]>

async function withQuestions<Result>(questions: Questions, work: (ask: Ask) => Promise<Result>): Promise<Result> {
  try {
    const { apiKeys } = await questions.ask(ApiKey.ApiVersions, 0, apiVersionsRequest)
    const versions = new Map(apiKeys.map(({ apiKey, maxVersion }) => [apiKey as number, maxVersion]))
    return await work((key, body, oldest) => {
      const version = Math.min(versions.get(key) ?? -1, newest[key])
      if (version >= oldest) return questions.ask(key, version, body)
      const message = `the broker does not serve ${apiName(key)} version ${oldest}`
      throw new UpstreamError('VKITM_UPSTREAM_TOO_OLD', message, { retriable: false })
    })
  } finally {
    questions.close()
  }
}
