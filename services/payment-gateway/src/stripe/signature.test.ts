import assert from 'node:assert/strict'
import { createHmac } from 'node:crypto'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import Stripe from 'stripe'
import { checkSignature } from './signature.ts'

const NOW = 1_700_000_000
const SECRET = 'whsec_test'
const BODY = Buffer.from('{"id":"evt_1","object":"event"}')
// Golden value, computed outside: the secret is used whole, "whsec_" included.
const GOLDEN = '4c15fb2a43f93ef61eaa3e0893866d57cad9cad4223242cfb96f362480cb4021'

const sign = (secret: string, second: number, body: Buffer): string =>
  createHmac('sha256', secret).update(`${second}.`).update(body).digest('hex')
const check = (header: string | string[] | undefined, secrets = [SECRET], now = NOW) =>
  checkSignature(BODY, header, secrets, now)

describe('checkSignature', () => {
  it("accepts Stripe's own scheme, v0 ignored, in the order a live delivery has", () => {
    assert.deepEqual(check(`t=${NOW},v1=${GOLDEN},v0=${'0'.repeat(64)}`), { valid: true, signedAt: NOW })
  })

  it('accepts what the official SDK signs', () => {
    const payload = BODY.toString()
    const header = Stripe.webhooks.generateTestHeaderString({ payload, secret: SECRET, timestamp: NOW })
    assert.equal(check(header).valid, true)
  })

  it('accepts any of several signatures (a secret being rolled) under any of several secrets (two endpoints)', () => {
    const other = sign('whsec_other', NOW, BODY)
    assert.equal(check(`t=${NOW},v1=${'a'.repeat(64)},v1=${GOLDEN}`).valid, true)
    assert.equal(check(`t=${NOW},v1=${other}`, [SECRET, 'whsec_other']).valid, true)
    assert.deepEqual(check(`t=${NOW},v1=${other}`), { valid: false, because: 'mismatch' })
  })

  it('refuses a stale signature, and one from the future, which the SDK lets pass', () => {
    const at = (second: number): string => `t=${second},v1=${sign(SECRET, second, BODY)}`
    assert.equal(check(at(NOW - 300)).valid, true)
    assert.deepEqual(check(at(NOW - 301)), { valid: false, because: 'too_old' })
    assert.equal(check(at(NOW + 300)).valid, true)
    assert.deepEqual(check(at(NOW + 86_400)), { valid: false, because: 'in_the_future' })
  })

  it('answers every crafted header with a reason and never throws', () => {
    const crafted: [string | string[] | undefined, string][] = [
      [undefined, 'missing'],
      ['', 'missing'],
      [[`t=${NOW},v1=${GOLDEN}`], 'malformed'],
      [`v1=${GOLDEN}`, 'malformed'],
      [`t=${NOW}`, 'malformed'],
      [`t=${NOW},v1=`, 'malformed'],
      [`t=${NOW},v1`, 'malformed'],
      [`t=${NOW},v0=${GOLDEN}`, 'malformed'],
      [`t=${NOW},v1=${GOLDEN.slice(1)}é`, 'malformed'],
      [`t=${NOW},v1=${GOLDEN.toUpperCase()}`, 'malformed'],
      [`t=${NOW}, v1=${GOLDEN}`, 'malformed'],
      [`t=abc,v1=${GOLDEN}`, 'malformed'],
      [`t=NaN,v1=${sign(SECRET, Number.NaN, BODY)}`, 'malformed'],
      [`t=1,t=${NOW + 1},v1=${GOLDEN}`, 'mismatch'],
      ['x'.repeat(5000), 'malformed'],
      [`t=${NOW},${`v1=${'a'.repeat(64)},`.repeat(50)}`, 'malformed'],
    ]
    for (const [header, because] of crafted)
      assert.deepEqual(check(header), { valid: false, because }, String(header).slice(0, 80))
  })

  it('accepts nothing but the very bytes that were signed', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 200 }),
        fc.nat(),
        fc.integer({ min: 1, max: 255 }),
        (bytes, at, flip) => {
          const body = Buffer.from(bytes)
          const header = `t=${NOW},v1=${sign(SECRET, NOW, body)}`
          assert.equal(checkSignature(body, header, [SECRET], NOW).valid, true)
          const changed = body.length === 0 ? Buffer.from([flip]) : Buffer.from(body)
          if (body.length > 0) changed[at % body.length] = (changed[at % body.length] ?? 0) ^ flip
          assert.equal(checkSignature(changed, header, [SECRET], NOW).valid, false)
        },
      ),
    )
  })

  it('never throws and never accepts a random header', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 300 }), (header) => {
        assert.equal(check(header).valid, false)
      }),
    )
  })
})
