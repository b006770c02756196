// A bare TLS-to-TCP pipe: no frames, no limits, no metrics. What is left of a gateway when everything is taken away.
import { readFileSync } from 'node:fs'
import { connect } from 'node:net'
import { createServer } from 'node:tls'

const [port, brokerPort, certificate, key, ciphers] = process.argv.slice(2)
if (ciphers === undefined) throw new Error('usage: node-pipe PORT BROKER_PORT CERTIFICATE KEY CIPHERS')

const identity = { cert: readFileSync(certificate!), key: readFileSync(key!) }
const server = createServer({ ...identity, ciphers, honorCipherOrder: true }, client => {
  const broker = connect({ host: '127.0.0.1', port: Number(brokerPort), noDelay: true })
  client.setNoDelay(true)
  client.pipe(broker)
  broker.pipe(client)
  client.on('error', () => broker.destroy()).on('close', () => broker.destroy())
  broker.on('error', () => client.destroy()).on('close', () => client.destroy())
})
server.listen({ host: '127.0.0.1', port: Number(port), backlog: 4_096 })
process.on('SIGTERM', () => process.exit(0))
