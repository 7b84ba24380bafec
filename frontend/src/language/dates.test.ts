import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { addDays, formatClock, formatDay, formatMoment, todayIn } from './dates.ts'

// A reader's clock that changes: whoever counts on it gets other days.
process.env['TZ'] = 'America/New_York'

test('today is the day on the venue’s calendar, not on the reader’s', () => {
  const lateEvening = Date.parse('2026-12-31T23:30:00Z')
  assert.equal(todayIn('Europe/Paris', lateEvening), '2027-01-01')
  assert.equal(todayIn('America/New_York', lateEvening), '2026-12-31')
  assert.equal(todayIn('Asia/Tokyo', lateEvening), '2027-01-01')
})

test('days are added over months, leap days and clock changes', () => {
  assert.equal(addDays('2028-02-28', 1), '2028-02-29')
  assert.equal(addDays('2026-12-31', 1), '2027-01-01')
  assert.equal(addDays('2027-03-27', 2), '2027-03-29')
  assert.equal(addDays('2027-03-13', 2), '2027-03-15')
  fc.assert(
    fc.property(fc.integer({ min: -3000, max: 3000 }), (days) => {
      assert.equal(addDays(addDays('2026-11-24', days), -days), '2026-11-24')
    }),
  )
})

test('a day is written as that day, and a moment names its time zone', () => {
  assert.match(formatDay('2026-11-25', 'fr'), /25 novembre 2026/)
  assert.match(formatDay('2026-11-25', 'en'), /25 November 2026/)
  assert.match(formatDay('2026-11-25', 'fr', 'long'), /^mercredi 25 novembre 2026$/)
  assert.match(formatClock('2026-11-24T04:15:00Z', 'fr', 'Europe/Paris'), /^mardi.*05:15.*UTC\+1$/)
  assert.match(formatMoment('2026-11-24T04:15:00Z', 'fr', 'Europe/Paris'), /05:15.*UTC\+1/)
  assert.match(formatMoment('2026-11-24T04:15:00Z', 'en', 'Asia/Tokyo'), /13:15/)
})
