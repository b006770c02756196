/** What a person sees of the demo: numbered steps, each with what was found to hold or not. Colour only where the terminal has it. */
import type { WriteStream } from 'node:tty'

type Style = 'bold' | 'dim' | 'green' | 'red' | 'cyan'

/** SGR parameters: on, off. */
const codes: Record<Style, readonly [number, number]> = {
  bold: [1, 22],
  dim: [2, 22],
  green: [32, 39],
  red: [31, 39],
  cyan: [36, 39],
}

export type Output = Pick<WriteStream, 'write'> & Partial<Pick<WriteStream, 'hasColors'>>

export class Screen {
  readonly #output: Output
  readonly #hasColors: boolean
  #steps = 0
  #failures = 0

  constructor(output: Output) {
    this.#output = output
    // Only a terminal has the method; it knows NO_COLOR and its like.
    this.#hasColors = output.hasColors?.() ?? false
  }

  get failures(): number {
    return this.#failures
  }

  title(text: string, more: string): void {
    this.#line(`\n  ${this.style('bold', text)}  ${this.style('dim', more)}`)
  }

  step(text: string): void {
    this.#steps++
    this.#line(`\n${this.style('cyan', String(this.#steps).padStart(3))}  ${this.style('bold', text)}`)
  }

  /** Something that holds, or does not; the demo fails where one does not. */
  check(text: string, holds: boolean): void {
    if (!holds) this.#failures++
    const mark = holds ? this.style('green', '✓') : this.style('red', '✗')
    this.#line(`     ${mark} ${holds ? text : this.style('red', text)}`)
  }

  say(text: string): void {
    this.#line(`       ${text}`)
  }

  quote(text: string): void {
    for (const line of text.trimEnd().split('\n')) this.#line(`       ${this.style('dim', `│ ${line}`)}`)
  }

  /** Cells of a column are as wide as the widest; the first row is the heading. */
  table(rows: readonly (readonly string[])[]): void {
    const widths = rows[0]!.map((_, column) => Math.max(...rows.map(row => row[column]!.length)))
    for (const [index, row] of rows.entries()) {
      const line = row.map((cell, column) => cell.padEnd(widths[column]!)).join('   ')
      this.say(index === 0 ? this.style('dim', line.trimEnd()) : line.trimEnd())
    }
  }

  /** For people to copy: nothing before it on the line. */
  command(about: string, text: string): void {
    this.#line(`\n  ${this.style('dim', about)}\n${text}`)
  }

  verdict(text: string): void {
    const isGood = this.#failures === 0
    this.#line(`\n  ${this.style(isGood ? 'green' : 'red', text)}`)
  }

  style(style: Style, text: string): string {
    const [on, off] = codes[style]
    return this.#hasColors ? `\u001b[${on}m${text}\u001b[${off}m` : text
  }

  #line(text: string): void {
    this.#output.write(`${text}\n`)
  }
}
