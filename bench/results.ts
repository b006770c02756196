// Samples of all rounds, and what they say: medians, and whether vkitm's meets the goal.
import type { Figure, Goal, Row, Sample } from './row.ts'
import { median } from './statistics.ts'

export interface FigureResult {
  readonly row: string
  readonly id: string
  readonly title: string
  readonly unit: string
  readonly digits: number
  /** By contestant, one value for each round. */
  readonly samples: Readonly<Record<string, readonly number[]>>
  readonly medians: Readonly<Record<string, number>>
  /** vkitm's median over HAProxy's. */
  readonly ratio: number | undefined
  readonly goal: string | undefined
  /** Undefined where there is no goal, or nothing to hold against it. */
  readonly verdict: Verdict | undefined
}

export type Verdict = 'held' | 'missed' | 'disturbed'

/** `disturbed`: other programs had so much of the machine that what the clock says counts for nothing. */
export function summarise(
  row: Row,
  samples: ReadonlyMap<string, readonly Sample[]>,
  disturbed: boolean,
): FigureResult[] {
  return row.figures.map(figure => {
    const values = valuesOf(figure, samples)
    const medians = Object.fromEntries(Object.entries(values).map(([name, all]) => [name, median(all)]))
    const { id, title, unit, digits, goal, clock } = figure
    const judged = goal && judge(goal, medians)
    return {
      ...{ row: row.id, id, title, unit, digits, samples: values, medians, ratio: ratioOf(medians) },
      goal: goal && wordings[goal.against](goal.max, unit),
      verdict: judged && clock && disturbed ? 'disturbed' : judged,
    }
  })
}

function valuesOf(figure: Figure, samples: ReadonlyMap<string, readonly Sample[]>): Record<string, number[]> {
  const values: Record<string, number[]> = {}
  for (const [name, rounds] of samples) {
    const ofFigure = rounds.map(sample => sample[figure.id]).filter(value => value !== undefined)
    if (ofFigure.length > 0) values[name] = ofFigure
  }
  return values
}

function ratioOf({ vkitm, HAProxy }: Readonly<Record<string, number>>): number | undefined {
  // HAProxy's growth for a large answer is nothing at all.
  return vkitm === undefined || !HAProxy ? undefined : vkitm / HAProxy
}

const wordings: Record<Goal['against'], (max: number, unit: string) => string> = {
  HAProxy: max => `≤ ${max} × HAProxy`,
  direct: (max, unit) => `≤ direct + ${max} ${unit}`,
  nothing: (max, unit) => `≤ ${max} ${unit}`,
}

function judge({ against, max }: Goal, medians: Readonly<Record<string, number>>): Verdict | undefined {
  const { vkitm, HAProxy, direct } = medians
  const limit = {
    HAProxy: HAProxy === undefined ? undefined : max * HAProxy,
    direct: direct === undefined ? undefined : max + direct,
    nothing: max,
  }[against]
  if (vkitm === undefined || limit === undefined) return undefined
  return vkitm <= limit ? 'held' : 'missed'
}
