import assert from 'node:assert/strict'
import { test } from 'node:test'
import { confirmCard } from './confirm-card.ts'
import type { Stripe, StripeElements, StripeError } from './stripe-js.ts'

const RETURN_URL = 'http://localhost/payment-success?booking_id=bkg_1'
const declined: StripeError = { type: 'card_error', code: 'card_declined' }

/** Stripe.js as far as it answers. */
function stripeJs(submit: StripeElements['submit'], confirmPayment: Stripe['confirmPayment']) {
  const asked: string[] = []
  const stripe: Pick<Stripe, 'confirmPayment'> = {
    confirmPayment: (options) => {
      asked.push(options.confirmParams.return_url)
      return confirmPayment(options)
    },
  }
  const elements: StripeElements = { submit, create: () => assert.fail('not asked for') }
  return { asked, stripe, elements }
}

test('a payment on its way says nothing, a refused one why', async () => {
  const paid = stripeJs(
    async () => ({}),
    async () => ({}),
  )
  assert.equal(await confirmCard(paid, RETURN_URL), null)
  assert.deepEqual(paid.asked, [RETURN_URL])
  const refused = stripeJs(
    async () => ({}),
    async () => ({ error: declined }),
  )
  assert.equal(await confirmCard(refused, RETURN_URL), declined)
})

test('a field that is wrong confirms nothing', async () => {
  const error: StripeError = { type: 'validation_error' }
  const wrong = stripeJs(
    async () => ({ error }),
    () => assert.fail('confirmed'),
  )
  assert.equal(await confirmCard(wrong, RETURN_URL), error)
  assert.deepEqual(wrong.asked, [])
})

test('a payment nobody knows of leads on to the page that finds out, instead of a form that waits for ever', async () => {
  const broken = stripeJs(
    async () => ({}),
    () => Promise.reject(new Error('the frame is gone')),
  )
  assert.equal(await confirmCard(broken, RETURN_URL), null)
})
