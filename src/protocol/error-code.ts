import { ErrorCode } from './generated/error-code.ts'

export { ErrorCode } from './generated/error-code.ts'

const names = new Map<number, string>(Object.entries(ErrorCode).map(([name, code]) => [code, name]))

/** For people: codes without a name are shown by their number. */
export function errorName(code: number): string {
  return names.get(code) ?? `error-${code}`
}
