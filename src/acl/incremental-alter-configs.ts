/**
 * IncrementalAlterConfigs: AlterConfigs on the topic or the group; for brokers, their loggers and client metrics on the
 * cluster. (KafkaApis.handleIncrementalAlterConfigsRequest, ControllerApis.handleIncrementalAlterConfigs)
 */
import type { ApiKey } from '../protocol/api-key.ts'
import { incrementalAlterConfigsResponseDefaults } from '../protocol/generated/incremental-alter-configs-response.ts'
import { judgeChanges } from './config-changes.ts'
import { type AclFacts, answer, type EnforcementOf, part, whole } from './enforcement.ts'
import { append } from './split.ts'

export function enforceIncrementalAlterConfigs({
  refuses,
  topicConfigs,
}: AclFacts): EnforcementOf<typeof ApiKey.IncrementalAlterConfigs> {
  return {
    request(body, judge) {
      const { allowed, failures } = judgeChanges(body.resources, {
        judge,
        knows: () => true,
        isOpen: type => !refuses('IncrementalAlterConfigs', type),
        topicConfigs,
      })
      if (failures.length === 0) return whole
      if (allowed.length === 0) return answer({ ...incrementalAlterConfigsResponseDefaults(), responses: failures })
      body.resources = allowed
      return part(({ responses }) => append(responses, failures))
    },
  }
}
