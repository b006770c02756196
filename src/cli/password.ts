/** A password from whoever sits at the terminal, without an echo, or from standard input. */
import { UsageError } from '../errors.ts'

const passwordBytesMax = 1024
/** Enter in both spellings, and the end of the input. */
const enterKeys = '\r\n\x04'

export async function readPassword(name: string): Promise<string> {
  const { stdin } = process
  const password = stdin.isTTY ? await askTwice(name) : (await allOf(stdin)).replace(/\r?\n$/, '')
  if (password === '') throw new UsageError('the password is empty: type it, or send it on standard input')
  if (Buffer.byteLength(password) > passwordBytesMax)
    throw new UsageError(`the password is longer than ${passwordBytesMax} bytes`)
  // PLAIN separates with it, and a line break is what a second line of a file leaves behind.
  if (['\0', '\r', '\n'].some(control => password.includes(control)))
    throw new UsageError('the password has more than one line')
  return password
}

async function askTwice(name: string): Promise<string> {
  const first = await ask(`Password for ${name}: `)
  if ((await ask('Again: ')) !== first) throw new UsageError('the passwords differ')
  return first
}

function ask(question: string): Promise<string> {
  const { stdin, stderr } = process
  stderr.write(question)
  stdin.setRawMode(true)
  stdin.setEncoding('utf8')
  stdin.resume()
  return new Promise((resolve, reject) => {
    let typed = ''
    const settle = (then: () => void): void => {
      stdin.off('data', take)
      stdin.setRawMode(false)
      stdin.pause()
      stderr.write('\n')
      then()
    }
    const take = (keys: string): void => {
      for (const key of keys) {
        if (key === '\x03') return settle(() => reject(new UsageError('nothing was changed')))
        if (enterKeys.includes(key)) return settle(() => resolve(typed))
        typed = key === '\x7f' || key === '\b' ? [...typed].slice(0, -1).join('') : typed + key
      }
    }
    stdin.on('data', take)
  })
}

async function allOf(input: NodeJS.ReadableStream): Promise<string> {
  let text = ''
  for await (const chunk of input.setEncoding('utf8')) {
    text += chunk
    if (text.length > 2 * passwordBytesMax) break
  }
  return text
}
