import { closeSync, openSync } from 'node:fs'

/** Opens the file for appending under a descriptor that others hold already, as if what it stood for had changed. */
export function replaceDescriptor(fd: number, file: string): void {
  closeSync(fd)
  const spare: number[] = []
  // The system gives the lowest that is free.
  for (;;) {
    const opened = openSync(file, 'a')
    if (opened === fd) break
    spare.push(opened)
    if (opened > fd) throw new Error(`descriptor ${fd} was taken meanwhile`)
  }
  for (const each of spare) closeSync(each)
}
