// Self times out of V8's sampling profiles.

export interface CpuProfile {
  readonly nodes: readonly {
    readonly id: number
    readonly callFrame: { readonly functionName: string; readonly url: string; readonly lineNumber: number }
  }[]
  /** Node ids, one a sample. */
  readonly samples: readonly number[]
  /** Microseconds before each sample. */
  readonly timeDeltas: readonly number[]
}

export interface SelfTime {
  readonly name: string
  readonly place: string
  readonly seconds: number
}

export function selfTimes(profiles: readonly CpuProfile[]) {
  const seconds = new Map<string, number>()
  for (const profile of profiles) addSelfTimes(profile, seconds)
  const idleSeconds = seconds.get(keyOf('(idle)', '')) ?? 0
  seconds.delete(keyOf('(idle)', ''))
  const functions = [...seconds]
    .map(([key, spent]): SelfTime => {
      const [name = '', place = ''] = key.split('\n')
      return { name, place, seconds: spent }
    })
    .sort((a, b) => b.seconds - a.seconds)
  const busySeconds = functions.reduce((sum, { seconds: spent }) => sum + spent, 0)
  return { busySeconds, idleSeconds, functions }
}

function addSelfTimes({ nodes, samples, timeDeltas }: CpuProfile, seconds: Map<string, number>): void {
  const keys = new Map(
    nodes.map(({ id, callFrame }) => {
      const { functionName, url, lineNumber } = callFrame
      return [id, keyOf(functionName || '(anonymous)', placeOf(url, lineNumber))]
    }),
  )
  samples.forEach((id, index) => {
    const key = keys.get(id)!
    // A sample stands for the time until the next one.
    seconds.set(key, (seconds.get(key) ?? 0) + Math.max(0, timeDeltas[index + 1] ?? 0) / 1e6)
  })
}

const keyOf = (name: string, place: string) => `${name}\n${place}`

/** The last folders of the path are enough to find a file, and say nothing of the machine. */
function placeOf(url: string, lineNumber: number): string {
  if (url === '') return ''
  const short = url.startsWith('node:') ? url : url.split('/').slice(-3).join('/')
  return `${short}:${lineNumber + 1}`
}
