// A client that does nothing but handshakes, from an address of its own. A program, so that it takes no time from the
// one that measures. It ends by itself.
import { connect } from 'node:tls'

const [port, seconds] = process.argv.slice(2).map(Number)
if (!port || !seconds) throw new Error('usage: flood PORT SECONDS')

const atOnce = 32
const end = Date.now() + seconds * 1_000
let completed = 0

/** Whether the server lets it through or not, the next one follows. */
function shakeHands(): Promise<void> {
  return new Promise(resolve => {
    const options = { host: '127.0.0.1', localAddress: '127.0.0.2', port: port!, rejectUnauthorized: false }
    const socket = connect(options, () => {
      completed++
      socket.destroy()
    })
    // Being turned away is one of the answers a flood gets.
    socket.on('error', () => socket.destroy())
    socket.on('close', () => resolve())
    setTimeout(() => socket.destroy(), Math.max(0, end - Date.now())).unref()
  })
}

async function flood(): Promise<void> {
  while (Date.now() < end) await shakeHands()
}

await Promise.all(Array.from({ length: atOnce }, flood))
console.log(completed)
process.exit(0)
