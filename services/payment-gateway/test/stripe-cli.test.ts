// The lesson's exercise: the gateway behind `stripe listen`, offline. Nothing here but Stripe's own command line brings
// the gateway its webhooks.
import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import type { Running } from '../../stripe-sandbox/test/stripe-cli.ts'
import { NO_CLI, runStripe, startStripe } from '../../stripe-sandbox/test/stripe-cli.ts'
import { call, eventually, payAtSandbox, startPlatform, tokenOf, WEBHOOK_SECRET } from './platform.ts'
import type { Platform } from './platform.ts'

describe('stripe listen --forward-to the gateway', { skip: NO_CLI }, () => {
  let platform: Platform
  let terminal: Running
  before(async () => {
    platform = await startPlatform({ webhooks: false, sandbox: { webhookSecret: WEBHOOK_SECRET } })
    const target = `${platform.gateway.url}/api/v1/payment-gateway/webhooks/stripe`
    const args = ['listen', '--no-wss', '--skip-update', '--all-snapshot', '--forward-to', target]
    terminal = startStripe(args, platform.sandbox)
    const [, secret] = await terminal.until(/webhook signing secret is (whsec_\w+)/)
    assert.equal(secret, WEBHOOK_SECRET)
  })
  after(async () => {
    await terminal?.stop()
    await platform?.stop()
  })

  it('confirms the booking of a payer who pays on the hosted page', async () => {
    const booking = platform.addBooking()
    const { body } = await call(platform, 'POST', '/sessions', { body: { bookingId: booking.id } })
    await payAtSandbox(platform, String(body.data['sessionId']))
    await eventually('the booking service is told', () => platform.booking.toldOf(booking.id).length > 0)
    assert.deepEqual(
      platform.booking.toldOf(booking.id).map(({ status }) => status),
      ['confirmed'],
    )
    assert.match(terminal.output(), /--> checkout\.session\.completed/)
    assert.match(terminal.output(), /<-- {2}\[200\] POST .*\/webhooks\/stripe/)
  })

  for (const type of ['payment_intent.succeeded', 'charge.refunded', 'checkout.session.completed']) {
    it(`answers 200 to stripe trigger ${type} and skips it: no booking belongs to it`, async () => {
      const { code, output } = await runStripe(['trigger', type], platform.sandbox)
      assert.equal(code, 0, output)
      const bearer = await tokenOf('ana', ['operator'])
      const event = await eventually(`${type} is in the inbox`, async () => {
        const answer = await call(platform, 'GET', `/admin/events?type=${type}&status=skipped`, { bearer })
        const [found] = answer.body.data as unknown as { eventId: string }[]
        return found ?? null
      })
      await terminal.until(new RegExp(`\\[200\\] POST .*${event.eventId}`))
    })
  }
})
