/** Configurations of topics, groups, brokers and clients' metrics. */
import { ApiKey } from '../../../../src/protocol/api-key.ts'
import type { Requests } from '../step.ts'
import type { Draw } from '../world.ts'

/** ConfigResource.Type */
const topic = 2
const broker = 4
const brokerLogger = 8
const clientMetrics = 16
const group = 32

interface Resource {
  readonly resourceType: number
  readonly resourceName: string
}

function drawResource(draw: Draw): Resource {
  const { random } = draw
  const resourceType = random.pick([topic, topic, topic, group, group, broker, brokerLogger, clientMetrics, 0, 77])
  const names: Record<number, () => string> = {
    [topic]: () => draw.topic(),
    [group]: () => draw.group(),
    [broker]: () => random.pick(['1', '', '99', 'x']),
    [brokerLogger]: () => random.pick(['1', '99']),
    [clientMetrics]: () => `${draw.world.prefix}metrics`,
  }
  // Kafka never answers two unknown types of the same name: they are one to it.
  return { resourceType, resourceName: names[resourceType]?.() ?? `odd-${resourceType}` }
}

/** Unlike lists of names, a resource twice is a mistake that Kafka answers in an order of its own. */
function drawResources(draw: Draw): Resource[] {
  const drawn = draw.some(() => drawResource(draw))
  return [...new Map(drawn.map(one => [`${one.resourceType} ${one.resourceName}`, one])).values()]
}

function drawConfig(draw: Draw, { resourceType }: Resource): { name: string; value: string | null } {
  const legal: Record<number, [string, string]> = {
    [topic]: ['retention.ms', '900000000000'],
    [group]: ['consumer.session.timeout.ms', '50000'],
    [broker]: ['log.cleaner.backoff.ms', '15001'],
    [brokerLogger]: ['no.such.logger', 'INFO'],
    [clientMetrics]: ['interval.ms', '60000'],
  }
  const [name, value] = draw.yes(6) ? ['no.such', '1'] : (legal[resourceType] ?? ['odd', 'odd'])
  return { name, value: draw.yes(8) ? null : draw.yes(8) ? 'nonsense' : value }
}

export const configRequests: Requests<
  | typeof ApiKey.DescribeConfigs
  | typeof ApiKey.AlterConfigs
  | typeof ApiKey.IncrementalAlterConfigs
  | typeof ApiKey.ListConfigResources
> = {
  [ApiKey.DescribeConfigs](draw) {
    const resources = drawResources(draw).map(resource => ({
      ...resource,
      configurationKeys: draw.yes() ? null : ['retention.ms', 'log.retention.ms'],
    }))
    const options = { includeSynonyms: draw.yes(), includeDocumentation: draw.yes(6) }
    return { items: resources.length, body: () => ({ ...options, resources }) }
  },

  [ApiKey.AlterConfigs](draw) {
    const resources = drawResources(draw).map(one => ({ ...one, configs: [drawConfig(draw, one)] }))
    const validateOnly = draw.yes()
    return { items: resources.length, body: () => ({ resources, validateOnly }) }
  },

  [ApiKey.IncrementalAlterConfigs](draw) {
    const drawn = drawResources(draw)
    // Over an operation that does not exist Kafka fails what stands beside it, too.
    const operations = drawn.length === 1 ? [0, 0, 0, 1, 2, 9] : [0, 0, 0, 1, 2, 3]
    const resources = drawn.map(one => ({
      ...one,
      configs: [{ ...drawConfig(draw, one), configOperation: draw.random.pick(operations) }],
    }))
    const validateOnly = draw.yes()
    return { items: resources.length, body: () => ({ resources, validateOnly }) }
  },

  [ApiKey.ListConfigResources](draw) {
    const resourceTypes = draw.random.pick([[], [topic], [group], [clientMetrics], [broker, group], [99]])
    return { items: 1, body: () => ({ resourceTypes }) }
  },
}
