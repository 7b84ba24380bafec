import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ERROR_STATUS } from '@passerelle/contracts/envelope'
import { pickLanguage } from './language.ts'
import { en } from './messages.en.ts'
import { fr } from './messages.fr.ts'

type Leaf = string | ((...args: never[]) => string)

function leaves(tree: object, path = ''): [string, Leaf][] {
  return Object.entries(tree).flatMap(([key, value]: [string, Leaf | object]): [string, Leaf][] =>
    typeof value === 'object' ? leaves(value, `${path}${key}.`) : [[`${path}${key}`, value]],
  )
}

test('both languages say everything, and no sentence is empty or left untranslated', () => {
  const french = new Map(leaves(fr))
  const same = new Set([
    'site.name',
    'tour.date',
    'tour.total',
    'booking.date',
    'payment.steps.ahead.confirmed',
  ])
  assert.deepEqual(
    [...french.keys()].sort(),
    leaves(en)
      .map(([key]) => key)
      .sort(),
  )
  for (const [key, value] of leaves(en)) {
    const translated = french.get(key)
    assert.equal(typeof translated, typeof value, key)
    if (typeof value === 'function') continue
    assert.notEqual(value.trim(), '', key)
    assert.notEqual(translated, '', key)
    if (!same.has(key)) assert.notEqual(translated, value, key)
  }
})

test('no French line begins with a punctuation mark: the space before it does not break', () => {
  for (const [key, value] of leaves(fr))
    if (typeof value === 'string') assert.doesNotMatch(value, /[\w’] [:;!?»](?:\s|$)|« /, key)
})

test('a sentence of the dictionary exists for every error a payer can meet, or the general one speaks', () => {
  const notForPayers = new Set([
    'INVALID_STATUS',
    'METHOD_NOT_ALLOWED',
    'IDEMPOTENCY_KEY_REUSED',
    'APPROVAL_NEEDED',
    'REFUND_EXCEEDS_REFUNDABLE',
    'PAYLOAD_TOO_LARGE',
    'UNSUPPORTED_MEDIA_TYPE',
    'INTERNAL_ERROR',
    'SERVICE_UNAVAILABLE',
  ])
  const missing = Object.keys(ERROR_STATUS).filter((code) => !(code in en.problem) && !notForPayers.has(code))
  assert.deepEqual(missing, [])
})

test('the address decides the language, then the earlier choice, then the browser', () => {
  assert.equal(pickLanguage({ search: '?lang=fr', remembered: 'en', preferred: ['en-US'] }), 'fr')
  assert.equal(pickLanguage({ search: '?lang=xx', remembered: 'fr', preferred: ['en-US'] }), 'fr')
  assert.equal(pickLanguage({ search: '', remembered: null, preferred: ['de', 'fr-CA', 'en'] }), 'fr')
  assert.equal(pickLanguage({ search: '', remembered: null, preferred: ['de'] }), 'en')
})
