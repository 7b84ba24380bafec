// What Node can do at all: the body read, the body read and its signature checked, the same with Fastify. Nothing stored.
import { createHmac, timingSafeEqual } from 'node:crypto'
import { createServer } from 'node:http'
import type { IncomingMessage, ServerResponse } from 'node:http'
import Fastify from 'fastify'

const kind = process.env['CEILING'] ?? 'raw'
const secret = process.env['STRIPE_WEBHOOK_SECRET'] ?? ''
const port = Number(process.env['PORT'])
const ANSWER = '{"received":true}'
const HEADERS = { 'content-type': 'application/json', 'content-length': ANSWER.length }

function isSigned(body: Buffer, header: string | undefined): boolean {
  const [, at = '', signature = ''] = /^t=(\d+),v1=([0-9a-f]{64})$/.exec(header ?? '') ?? []
  const expected = createHmac('sha256', secret).update(`${at}.`).update(body).digest()
  return signature !== '' && timingSafeEqual(expected, Buffer.from(signature, 'hex'))
}

function serveRaw(checks: boolean): void {
  const server = createServer((request: IncomingMessage, response: ServerResponse) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      const body = chunks.length === 1 && chunks[0] ? chunks[0] : Buffer.concat(chunks)
      const signature = request.headers['stripe-signature']
      const taken = !checks || request.method === 'GET' || isSigned(body, String(signature))
      response.writeHead(taken ? 200 : 400, HEADERS)
      response.end(ANSWER)
    })
  })
  server.keepAliveTimeout = 600_000
  server.listen(port, '127.0.0.1')
}

async function serveFastify(): Promise<void> {
  const server = Fastify({ keepAliveTimeout: 600_000 })
  server.removeAllContentTypeParsers()
  server.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body))
  server.get('/', async () => ({ ready: true }))
  server.post('*', async (request, reply) => {
    const signature = request.headers['stripe-signature']
    const taken = Buffer.isBuffer(request.body) && isSigned(request.body, String(signature))
    return reply.code(taken ? 200 : 400).send({ received: taken })
  })
  await server.listen({ port, host: '127.0.0.1' })
}

// The bench is gone, however it went.
process.once('disconnect', () => process.exit(0))
if (kind === 'fastify') await serveFastify()
else serveRaw(kind === 'raw-hmac')
