// Kafka's own command-line tools (`org.apache.kafka.tools.*`), on a class path of their own.
import { type Finished, finish, type RunOptions, run } from './child-process.ts'
import { frugal } from './java.ts'
import { classPath } from './maven.ts'

const artifacts = ['org.apache.kafka:kafka-tools:4.3.1', 'org.slf4j:slf4j-simple:1.7.36']

export type KafkaTool =
  | 'AclCommand'
  | 'ConsumerPerformance'
  | 'ProducerPerformance'
  | 'TopicCommand'
  | 'VerifiableConsumer'
  | 'VerifiableProducer'

export interface ToolOptions extends RunOptions {
  /** More flags for the JVM, such as a cluster's `hostsFlag`. */
  readonly jvm?: readonly string[]
  readonly heapMb?: number
}

/** The command line that runs a tool, for callers that want the process itself. */
export async function toolCommand(
  tool: KafkaTool,
  args: readonly string[],
  options: ToolOptions = {},
): Promise<string[]> {
  const jars = await classPath(artifacts)
  const { jvm = [], heapMb = 256 } = options
  return ['java', ...frugal(heapMb), ...jvm, '-cp', jars, className(tool), ...args]
}

/** Runs a tool to its end; anything but exit code 0 throws with what it printed. */
export async function runTool(tool: KafkaTool, args: readonly string[], options: ToolOptions = {}): Promise<Finished> {
  const [java = '', ...rest] = await toolCommand(tool, args, options)
  return run(java, rest, options)
}

/** Runs a tool whose failure is what a test wants to see. */
export async function tryTool(tool: KafkaTool, args: readonly string[], options: ToolOptions = {}): Promise<Finished> {
  const [java = '', ...rest] = await toolCommand(tool, args, options)
  return finish(java, rest, options)
}

function className(tool: KafkaTool): string {
  return `org.apache.kafka.tools.${tool}`
}
