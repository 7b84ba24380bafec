import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { after, before, describe, it } from 'node:test'
import { fileURLToPath } from 'node:url'
import { ApiError, createClient } from '@passerelle/client'
import type { GatewayClient } from '@passerelle/client'
import { operationsText } from '@passerelle/client/generate-operations'
import type { Document } from '@passerelle/client/generate-operations'
import { payAtSandbox, SERVICE_TOKEN, startPlatform, tokenOf } from './platform.ts'
import type { Platform } from './platform.ts'

const OPERATIONS = fileURLToPath(import.meta.resolve('@passerelle/client/operations'))

let platform: Platform
let client: GatewayClient
before(async () => {
  platform = await startPlatform()
  client = createClient({ gatewayUrl: platform.gateway.url, getToken: () => tokenOf('cus_ana') })
})
after(() => platform.stop())

const refused = (code: string, status: number) => (error: unknown) =>
  error instanceof ApiError && error.code === code && error.status === status && error.requestId !== null

describe('the TypeScript client', () => {
  it('is typed by the very document this gateway serves (npm run client:generate renews it)', async () => {
    const document = (await (await fetch(`${platform.gateway.url}/openapi.json`)).json()) as Document
    const text = operationsText(document)
    if (process.env['UPDATE_CLIENT'] === 'on') writeFileSync(OPERATIONS, text)
    const withoutFormat = (source: string): string =>
      source.replaceAll(/\s/g, '').replaceAll(/([:(])\|/g, '$1')
    assert.equal(withoutFormat(await readFile(OPERATIONS, 'utf8')), withoutFormat(text))
  })

  it('opens, follows and refunds a payment', async () => {
    const { id: bookingId } = platform.addBooking()
    const session = await client.call('POST /sessions', { body: { bookingId } })
    await payAtSandbox(platform, session.sessionId)
    const path = { bookingId }
    const owner = await client.call('GET /payments/{bookingId}/status', { path })
    assert.equal(owner.status, 'succeeded')
    const stranger = createClient({ gatewayUrl: platform.gateway.url })
    const query = { token: session.statusToken }
    const verified = await stranger.call('GET /sessions/{sessionId}/verify', {
      path: { sessionId: session.sessionId },
      query,
    })
    assert.equal(verified.status, 'complete')
    assert.equal((await stranger.call('GET /status', { query })).bookingId, bookingId)
    const service = createClient({ gatewayUrl: platform.gateway.url, getToken: () => SERVICE_TOKEN })
    const refund = { path, body: { amountMinor: 100 }, idempotencyKey: 'client-test' }
    const first = await service.call('POST /payments/{bookingId}/refunds', refund)
    const again = await service.call('POST /payments/{bookingId}/refunds', refund)
    assert.equal(first.amountMinor, 100)
    assert.equal(again.refundId, first.refundId)
  })

  it('gives a session up, and says what the gateway says when something cannot be done', async () => {
    const { id: bookingId } = platform.addBooking()
    const { sessionId } = await client.call('POST /sessions', { body: { bookingId } })
    const givenUp = await client.call('POST /sessions/{sessionId}/cancel', { path: { sessionId } })
    assert.equal(givenUp.status, 'canceled')
    const stranger = createClient({ gatewayUrl: platform.gateway.url })
    const path = { bookingId }
    await assert.rejects(
      stranger.call('GET /payments/{bookingId}/status', { path }),
      refused('UNAUTHENTICATED', 401),
    )
    await assert.rejects(
      client.call('GET /payments/{bookingId}/status', { path: { bookingId: 'bkg_none' } }),
      refused('NOT_FOUND', 404),
    )
    const nobody = createClient({ gatewayUrl: 'http://127.0.0.1:9' })
    await assert.rejects(
      nobody.call('GET /payments/{bookingId}/status', { path }),
      (error) => error instanceof ApiError && error.code === 'NETWORK',
    )
  })

  it('asks for a new token once when the old one has run out', async () => {
    const { id: bookingId } = platform.addBooking()
    const wishes: boolean[] = []
    const expiring = createClient({
      gatewayUrl: platform.gateway.url,
      getToken: ({ isFresh }) => {
        wishes.push(isFresh)
        return isFresh ? tokenOf('cus_ana') : 'run out'
      },
    })
    await expiring.call('POST /sessions', { body: { bookingId } })
    assert.deepEqual(wishes, [false, true])
  })
})
