import assert from 'node:assert/strict'
import { test } from 'node:test'
import { keepSession, keptSession } from './kept-session.ts'
import { readLanding } from './landing.ts'

const NOTHING = { statusToken: null, expiresAt: null, tour: null, isMasked: false, known: null }

test('the ids leave the address at once, and a page loaded again still knows them', () => {
  const address = { pathname: '/payment-success', search: '?session_id=cs_test_1&booking_id=bkg_1&lang=fr' }
  const first = readLanding(address, null)
  const ids = { bookingId: 'bkg_1', sessionId: 'cs_test_1' }
  assert.deepEqual(first.landing, { arrival: 'success', ...ids, ...NOTHING })
  assert.equal(first.cleanAddress, '/payment-success?lang=fr')
  const again = readLanding({ pathname: '/payment-success', search: '' }, first.kept)
  assert.deepEqual(again.landing, first.landing)
})

test('the secret that Stripe adds to a return address leaves it too', () => {
  const secret = 'payment_intent=pi_1&payment_intent_client_secret=pi_1_secret_x&redirect_status=succeeded'
  const { cleanAddress } = readLanding(
    { pathname: '/payment-success', search: `?booking_id=bkg_1&${secret}` },
    null,
  )
  assert.equal(cleanAddress, '/payment-success')
})

test('a new landing wins over what an older one left behind', () => {
  const { landing } = readLanding(
    { pathname: '/payment-cancel', search: '?booking_id=bkg_2' },
    { bookingId: 'bkg_1' },
  )
  assert.deepEqual(landing, { arrival: 'cancel', bookingId: 'bkg_2', sessionId: null, ...NOTHING })
})

test('what cannot be an id is no id', () => {
  const search = `?session_id=${encodeURIComponent('{CHECKOUT_SESSION_ID}')}&booking_id=${encodeURIComponent('../x')}`
  const { landing } = readLanding({ pathname: '/payment-success', search }, 'nonsense')
  assert.deepEqual(landing, { arrival: 'success', bookingId: null, sessionId: null, ...NOTHING })
})

test('a tab keeps its session by booking without the token, and reads nonsense as nothing', () => {
  const kept = new Map<string, string>()
  const store = {
    getItem: (key: string) => kept.get(key) ?? null,
    setItem: (key: string, value: string) => void kept.set(key, value),
  }
  const session = {
    sessionId: 'cs_test_1',
    checkoutUrl: 'https://checkout.example/c/pay/cs_test_1',
    paymentId: 'pay_1',
    expiresAt: '2026-11-24T11:00:00Z',
    statusToken: 'token',
    statusUrl: 'http://localhost:5173/p/token',
  }
  keepSession(store, 'bkg_1', session)
  assert.deepEqual(keptSession(store, 'bkg_1'), {
    sessionId: 'cs_test_1',
    expiresAt: session.expiresAt,
  })
  assert.ok([...kept.values()].every((text) => !text.includes('token')))
  assert.equal(keptSession(store, 'bkg_2'), null)
  for (const nonsense of ['{', 'null', '{"sessionId":1}', '""']) {
    for (const key of kept.keys()) kept.set(key, nonsense)
    assert.equal(keptSession(store, 'bkg_1'), null)
  }
})

test('a browser that keeps nothing, or has no room left, stops nobody from paying', () => {
  const full = {
    getItem: () => {
      throw new DOMException('not here', 'SecurityError')
    },
    setItem: () => {
      throw new DOMException('full', 'QuotaExceededError')
    },
  }
  keepSession(full, 'bkg_1', { sessionId: 'cs_test_1', expiresAt: '2026-11-24T10:00:00Z' })
  assert.equal(keptSession(full, 'bkg_1'), null)
})
