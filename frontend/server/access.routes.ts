import type { FastifyInstance } from 'fastify'
import type { PaymentAccess } from '../src/payment/kept-session.ts'
import { keepAccessLines } from './access-cookie.ts'
import type { FrontendConfig } from './config.ts'

const nullable = (schema: object): object => ({ anyOf: [schema, { type: 'null' }] })
const text = (maxLength: number): object => ({ type: 'string', minLength: 1, maxLength })

const TOUR = {
  type: 'object',
  required: ['name', 'date', 'seats', 'timeZone'],
  additionalProperties: false,
  properties: {
    name: text(250),
    date: { type: 'string', format: 'date' },
    seats: { type: 'integer', minimum: 1, maximum: 1000 },
    timeZone: { type: 'string', pattern: '^[A-Za-z0-9_+/-]{1,64}$' },
  },
}
const BODY = {
  type: 'object',
  required: ['bookingId', 'sessionId', 'statusToken', 'expiresAt', 'tour'],
  additionalProperties: false,
  properties: {
    bookingId: { type: 'string', pattern: '^[A-Za-z0-9_-]{1,100}$' },
    sessionId: nullable({ type: 'string', pattern: '^[A-Za-z0-9_]{1,255}$' }),
    statusToken: { type: 'string', pattern: '^[A-Za-z0-9_-]{20,128}$' },
    expiresAt: nullable({ type: 'string', format: 'date-time' }),
    tour: nullable(TOUR),
  },
}

/** Keeps, in a cookie that no script can read, what opens the payment that this browser is about to make. */
export function addAccessRoute(server: FastifyInstance, { isSecure, publicOrigin }: FrontendConfig): void {
  server.post<{ Body: PaymentAccess }>(
    '/payment-access',
    { bodyLimit: 4096, schema: { body: BODY } },
    async (request, reply) => {
      // Another site must not be able to make this browser look at a payment of its choosing.
      const { origin, 'sec-fetch-site': site } = request.headers
      if (site === undefined ? origin !== publicOrigin : site !== 'same-origin')
        return await reply
          .code(403)
          .type('text/plain; charset=utf-8')
          .send('Only for the pages of this site.\n')
      const lines = keepAccessLines(request.headers.cookie, { ...request.body, isMasked: false }, isSecure)
      return await reply.code(204).header('set-cookie', lines).header('cache-control', 'no-store').send()
    },
  )
}
