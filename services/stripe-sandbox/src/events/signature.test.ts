import assert from 'node:assert/strict'
import { test } from 'node:test'
import { signatureHeader } from './signature.ts'

test('a known secret, time and body give the signature that Stripe gives', () => {
  const header = signatureHeader('{"id":"evt_1","object":"event"}', 1_700_000_000, ['whsec_test'])
  assert.match(
    header,
    /^t=1700000000,v1=4c15fb2a43f93ef61eaa3e0893866d57cad9cad4223242cfb96f362480cb4021,v0=[0-9a-f]{64}$/,
  )
})

test('while a secret is being rolled, every active one signs', () => {
  const header = signatureHeader('{}', 1, ['whsec_new', 'whsec_old'])
  assert.equal(header.match(/v1=/g)?.length, 2)
})
