import { changed, type HandlerOf } from '../pipeline/stage.ts'
import type { ApiKey } from '../protocol/api-key.ts'
import type {
  DescribeConfigsResourceResult,
  DescribeConfigsResult,
} from '../protocol/generated/describe-configs-response.ts'
import type { RewriteFacts } from './facts.ts'
import type { HiddenText } from './hidden-text.ts'

/** ConfigResource.Type */
const brokerResource = 4

/** Configs of brokers that say where brokers and controllers listen, or how their listeners are called. */
const addressConfigs: ReadonlySet<string> = new Set([
  'listeners',
  'advertised.listeners',
  'listener.security.protocol.map',
  'inter.broker.listener.name',
  'controller.listener.names',
  'control.plane.listener.name',
  'early.start.listeners',
  'controller.quorum.voters',
  'controller.quorum.bootstrap.servers',
  'zookeeper.connect',
  'host.name',
  'advertised.host.name',
])

/** `listener.name.internal.ssl.…`: the name itself is a listener's. */
const listenerPrefix = 'listener.name.'

export function rewriteDescribeConfigs({ hidden }: RewriteFacts): HandlerOf<typeof ApiKey.DescribeConfigs> {
  return {
    response(body) {
      for (const result of body.results) hideConfigs(result, hidden)
      return changed
    },
  }
}

function hideConfigs(result: DescribeConfigsResult, hidden: HiddenText): void {
  if (result.errorMessage !== null) result.errorMessage = hidden.hide(result.errorMessage)
  const isBroker = result.resourceType === brokerResource
  if (isBroker) result.configs = result.configs.filter(({ name }) => !name.startsWith(listenerPrefix))
  for (const config of result.configs) hideConfig(config, isBroker, hidden)
}

/** Kafka's own way to show a value without showing it: null, and marked sensitive. */
function hideConfig(config: DescribeConfigsResourceResult, isBroker: boolean, hidden: HiddenText): void {
  const shows = (value: string | null): boolean =>
    value !== null && (hidden.namesUpstream(value) || (isBroker && hidden.hide(value) !== value))
  const isAddress = isBroker && addressConfigs.has(config.name)
  const named = isBroker ? config.synonyms.filter(({ name }) => !name.startsWith(listenerPrefix)) : config.synonyms
  if (isAddress || shows(config.value) || named.some(({ value }) => shows(value))) {
    config.value = null
    config.isSensitive = true
    config.synonyms = named.map(synonym => ({ ...synonym, value: null }))
  } else {
    config.synonyms = named
  }
}
