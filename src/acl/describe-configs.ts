/**
 * DescribeConfigs: DescribeConfigs on the topic or the group; for brokers, their loggers and client metrics on the cluster.
 * A type that Kafka does not know fails the whole request. (ConfigHelper.handleDescribeConfigsRequest)
 */
import type { ApiKey } from '../protocol/api-key.ts'
import { ErrorCode } from '../protocol/error-code.ts'
import {
  type DescribeConfigsResult,
  describeConfigsResponseDefaults,
} from '../protocol/generated/describe-configs-response.ts'
import { asking, configDenial, configTypeName, mayUseConfigs, seeing } from './config-resource.ts'
import { type AclFacts, answer, type EnforcementOf, part, whole } from './enforcement.ts'
import { errorMessage } from './error-messages.ts'
import { replaceHidden } from './hidden.ts'
import { append, splitDenied } from './split.ts'

export function enforceDescribeConfigs({ refuses }: AclFacts): EnforcementOf<typeof ApiKey.DescribeConfigs> {
  const isOpen = (type: number): boolean => {
    const name = configTypeName(type)
    return name !== undefined && !refuses('DescribeConfigs', name)
  }
  return {
    request(body, judge) {
      const { resources } = body
      if (resources.some(({ resourceType }) => configTypeName(resourceType) === undefined)) {
        const results = resources.map(resource => failure(resource, ErrorCode.INVALID_REQUEST))
        return answer({ ...describeConfigsResponseDefaults(), results })
      }
      const split = splitDenied(
        resources,
        resource => isOpen(resource.resourceType) && mayUseConfigs('describeConfigs', resource, asking(judge)),
      )
      if (split === undefined) return whole
      const denials = split.denied.map(denial)
      if (split.allowed.length === 0) return answer({ ...describeConfigsResponseDefaults(), results: denials })
      body.resources = split.allowed
      return part(({ results }) => append(results, denials))
    },

    response({ results }, judge) {
      return replaceHidden(
        results,
        result => isOpen(result.resourceType) && mayUseConfigs('describeConfigs', result, seeing(judge)),
        denial,
      )
    },
  }
}

interface Resource {
  readonly resourceType: number
  readonly resourceName: string
}

function denial(resource: Resource): DescribeConfigsResult {
  return failure(resource, configDenial(resource.resourceType))
}

function failure({ resourceType, resourceName }: Resource, errorCode: number): DescribeConfigsResult {
  return { errorCode, errorMessage: errorMessage(errorCode), resourceType, resourceName, configs: [] }
}
