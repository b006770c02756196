/**
 * AlterConfigs: AlterConfigs on the topic or the group, for brokers and client metrics on the cluster; loggers cannot be changed
 * this way. What it does not name goes back to its default. (KafkaApis.handleAlterConfigsRequest, ControllerApis.handleLegacyAlterConfigs)
 */
import type { ApiKey } from '../protocol/api-key.ts'
import { alterConfigsResponseDefaults } from '../protocol/generated/alter-configs-response.ts'
import { judgeChanges } from './config-changes.ts'
import { type AclFacts, answer, type EnforcementOf, part, whole } from './enforcement.ts'
import { append } from './split.ts'

export function enforceAlterConfigs({ refuses, topicConfigs }: AclFacts): EnforcementOf<typeof ApiKey.AlterConfigs> {
  return {
    request(body, judge) {
      const { allowed, failures } = judgeChanges(body.resources, {
        judge,
        knows: type => type !== 'brokerLogger',
        isOpen: type => !refuses('AlterConfigs', type),
        topicConfigs,
      })
      if (failures.length === 0) return whole
      if (allowed.length === 0) return answer({ ...alterConfigsResponseDefaults(), responses: failures })
      body.resources = allowed
      return part(({ responses }) => append(responses, failures))
    },
  }
}
