import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { calendarFile, folded } from './calendar-file.ts'
import type { CalendarEntry } from './calendar-file.ts'

const entry: CalendarEntry = {
  bookingId: 'bkg_1',
  tour: { name: 'Kyoto: Temples, and Tea; a morning', date: '2026-12-31', seats: 2, timeZone: 'Asia/Tokyo' },
  description: 'Two seats\nReference bkg_1',
  url: 'https://shop.example/bookings/bkg_1',
  version: 7,
  changedAt: '2026-11-24T10:00:05.123Z',
  isCancelled: false,
}

test('the file is what calendars read: whole day of the venue, one UID for ever, text escaped, lines ended by CRLF', () => {
  const text = calendarFile(entry)
  assert.ok(text.endsWith('END:VCALENDAR\r\n'))
  assert.doesNotMatch(text.replaceAll('\r\n', ''), /[\r\n]/)
  const lines = text.replaceAll('\r\n ', '').split('\r\n')
  for (const line of [
    'UID:bkg_1@passerelle',
    'DTSTAMP:20261124T100005Z',
    'SEQUENCE:7',
    'DTSTART;VALUE=DATE:20261231',
    'DTEND;VALUE=DATE:20270101',
    String.raw`SUMMARY:Kyoto: Temples\, and Tea\; a morning`,
    String.raw`DESCRIPTION:Two seats\nReference bkg_1`,
    'STATUS:CONFIRMED',
  ])
    assert.ok(lines.includes(line), line)
})

test('a refund cancels the same entry', () => {
  const text = calendarFile({ ...entry, isCancelled: true, version: 8 })
  for (const line of ['METHOD:CANCEL', 'STATUS:CANCELLED', 'UID:bkg_1@passerelle', 'SEQUENCE:8'])
    assert.ok(text.split('\r\n').includes(line), line)
})

const manyLetters = fc.nat(300).map((count) => 'a'.repeat(count))
test('no line is longer than 75 octets, no character is cut, and unfolding gives the line back', () => {
  fc.assert(
    fc.property(fc.oneof(fc.string({ unit: 'binary', maxLength: 300 }), manyLetters), (text) => {
      const line = text.replaceAll(/[\r\n]/g, '')
      const result = folded(line)
      for (const part of result.split('\r\n')) assert.ok(new TextEncoder().encode(part).length <= 75)
      assert.equal(result.replaceAll('\r\n ', ''), line)
    }),
  )
})
