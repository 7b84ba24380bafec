import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { keepAccessLines, keyOf, readAccess } from './access-cookie.ts'
import type { KeptAccess } from './access-cookie.ts'

const access: KeptAccess = {
  bookingId: 'bkg_1',
  sessionId: 'cs_test_1',
  statusToken: 'token',
  expiresAt: '2026-11-24T11:00:00Z',
  tour: { name: 'Île; d’Yeu, été', date: '2026-12-24', seats: 2, timeZone: 'Europe/Paris' },
  isMasked: false,
}
const sent = (lines: readonly string[]): string => lines.map((line) => line.split(';')[0]).join('; ')

test('what is kept comes back whole, under a key that does not tell the booking', () => {
  const lines = keepAccessLines(undefined, access, true)
  assert.match(
    lines[0] ?? '',
    /^__Host-passerelle-pay-[0-9a-f]{12}=[\w-]+; Path=\/; HttpOnly; SameSite=Lax; Secure/,
  )
  assert.deepEqual(readAccess(sent(lines), keyOf('bkg_1'), true), access)
  assert.equal(readAccess(sent(lines), keyOf('bkg_2'), true), null)
  assert.equal(readAccess(sent(lines), keyOf('bkg_1'), false), null)
})

test('without https the cookie has no prefix that browsers would refuse', () => {
  assert.doesNotMatch(keepAccessLines(undefined, access, false)[0] ?? '', /__Host-|Secure/)
})

test('the oldest goes when there are more than four', () => {
  let cookies = ''
  for (let index = 0; index < 6; index += 1) {
    const lines = keepAccessLines(cookies, { ...access, bookingId: `bkg_${index}` }, false)
    const gone = lines.filter((line) => line.includes('Max-Age=0')).map((line) => line.split('=')[0])
    cookies = cookies
      .split('; ')
      .filter((pair) => pair !== '' && !gone.includes(pair.split('=')[0]))
      .concat(sent(lines.slice(0, 1)))
      .join('; ')
  }
  assert.equal(cookies.split('; ').length, 4)
  assert.equal(readAccess(cookies, keyOf('bkg_1'), false), null)
  assert.equal(readAccess(cookies, keyOf('bkg_5'), false)?.bookingId, 'bkg_5')
})

test('nonsense is nothing', () => {
  const name = `passerelle-pay-${keyOf('bkg_1')}`
  fc.assert(
    fc.property(fc.string(), (value) => readAccess(`${name}=${value}`, keyOf('bkg_1'), false) === null),
  )
  for (const key of ['', '../x', '__proto__', keyOf('bkg_1').toUpperCase()])
    assert.equal(readAccess(`${name}=e30`, key, false), null)
})
