// The results as a Markdown table that also reads well in a terminal.
import { disturbanceMax } from './disturbance.ts'
import type { Facts } from './facts.ts'
import type { FigureResult } from './results.ts'

const contestants = ['direct', 'HAProxy', 'nginx', 'node-pipe', 'node-floor', 'vkitm']
/** Has a column only where it took part. */
const extra = 'node-floor'

export interface Report {
  readonly finished: string
  readonly rounds: number
  readonly facts: Facts
  readonly figures: readonly FigureResult[]
  /** By row, the share of the processors that went to other programs. */
  readonly disturbance: Readonly<Record<string, number>>
  readonly leftOut: readonly string[]
}

export function renderTable(figures: readonly FigureResult[]): string {
  const columns = contestants.filter(name => name !== extra || figures.some(({ medians }) => name in medians))
  const header = ['figure', ...columns, 'vkitm ÷ HAProxy', 'goal', '']
  const lines = [header, ...figures.map(figure => cells(figure, columns))]
  const widths = header.map((_, column) => Math.max(3, ...lines.map(line => [...line[column]!].length)))
  const [first, ...rest] = lines.map(line => row(line, widths))
  const rule = widths.map((width, column) => (column === 0 ? '-'.repeat(width) : `${'-'.repeat(width - 1)}:`))
  return [first, row(rule, widths), ...rest].join('\n')
}

export function renderReport({ finished, rounds, facts, figures, disturbance, leftOut }: Report): string {
  const machine = Object.entries(facts).map(([name, value]) => `- ${name}: ${value}`)
  const missing = leftOut.map(line => `- ${line}`)
  return [
    `Medians of at least ${rounds} rounds, the contestants' order reversed from round to round; ${finished}.`,
    '',
    renderTable(figures),
    '',
    'Measured on:',
    '',
    ...machine,
    '',
    'Share of the processors that other programs took meanwhile:',
    '',
    ...renderDisturbance(disturbance),
    '',
    'Left out:',
    '',
    ...missing,
    '',
  ].join('\n')
}

export function renderDisturbance(disturbance: Readonly<Record<string, number>>): string[] {
  return Object.entries(disturbance).map(([row, share]) => {
    return `- ${row}: ${(share * 100).toFixed(0)} %${share > disturbanceMax ? ' (**disturbed**: measure again)' : ''}`
  })
}

function cells(
  { title, unit, digits, medians, ratio, goal, verdict }: FigureResult,
  columns: readonly string[],
): string[] {
  const values = columns.map(name => medians[name]?.toFixed(digits) ?? '')
  const judged = verdict === 'missed' ? '**missed**' : (verdict ?? '')
  return [`${title}, ${unit}`, ...values, ratio?.toFixed(2) ?? '', goal ?? '', judged]
}

function row(line: readonly string[], widths: readonly number[]): string {
  const padded = line.map((cell, column) => {
    const space = ' '.repeat(widths[column]! - [...cell].length)
    return column === 0 ? cell + space : space + cell
  })
  return `| ${padded.join(' | ')} |`
}
