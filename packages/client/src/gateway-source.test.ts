import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { after, before, beforeEach, test } from 'node:test'
import { gatewaySource } from './gateway-source.ts'
import { aPayment } from './sample-payment.ts'
import type { Payment } from './payment.ts'
import type { PaymentSource } from './watch-payment.ts'

let current: Payment = aPayment()
let isTagged = true
let asked: (string | undefined)[] = []
// As the gateway answers: the version names what is said, and saying it again needs no body.
const gateway = createServer((request, response) => {
  const tag = `W/"${current.version}"`
  asked.push(request.headers['if-none-match'])
  if (isTagged) response.setHeader('etag', tag)
  if (request.headers['if-none-match'] === tag) response.writeHead(304).end()
  else response.end(JSON.stringify({ success: true, data: current }))
})

let source: PaymentSource
before(() => new Promise<void>((resolve) => gateway.listen(0, '127.0.0.1', resolve)))
beforeEach(() => {
  const { port } = gateway.address() as AddressInfo
  source = gatewaySource({ gatewayUrl: `http://127.0.0.1:${port}`, bookingId: 'bkg_1', statusToken: 't' })
  current = aPayment()
  isTagged = true
  asked = []
})
after(() => gateway.close())

const read = async (): Promise<unknown> => await source.readStatus(new AbortController().signal)

test('from the second read on the gateway is asked for what is new, and what is not is known already', async () => {
  assert.deepEqual(await read(), { kind: 'answer', value: current })
  assert.deepEqual(await read(), { kind: 'answer', value: current })
  current = aPayment({ status: 'succeeded', version: 2 })
  assert.deepEqual(await read(), { kind: 'answer', value: current })
  assert.deepEqual(await read(), { kind: 'answer', value: current })
  assert.deepEqual(asked, [undefined, 'W/"1"', 'W/"1"', 'W/"2"'])
})

test('a gateway that names no version is asked for everything, each time', async () => {
  isTagged = false
  for (const _ of [1, 2]) assert.deepEqual(await read(), { kind: 'answer', value: current })
  assert.deepEqual(asked, [undefined, undefined])
})
