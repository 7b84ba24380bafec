import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import type { ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { after, afterEach, before, test } from 'node:test'
import { setTimeout } from 'node:timers/promises'
import { aPayment } from '@passerelle/client/sample-payment'
import type { Known, Payment } from '@passerelle/client/payment'
import { Window } from 'happy-dom'
import { StrictMode, act, createElement, useEffect, useState } from 'react'
import { createRoot } from 'react-dom/client'
import { renderToString } from 'react-dom/server'
import { usePaymentStatus } from './use-payment-status.ts'
import type { PaymentStatusOptions, PaymentStatusResult } from './use-payment-status.ts'

const WAIT_MS_MAX = 5000
// The lesson's options, quick enough for a test.
const QUICK = { initialInterval: 5, maxInterval: 20 } as const

/** What the gateway's address answers next: a payment, a status alone, or an open stream. */
type Answer = Payment | number
let answers: Answer[] = []
let reads: string[] = []
let streams: ServerResponse[] = []
let hasStream = false
const gateway = createServer((request, response) => {
  const path = request.url ?? ''
  reads.push(path)
  if (path.includes('/stream')) {
    if (hasStream) startStream(response)
    else response.writeHead(404).end()
    return
  }
  const next = answers.length > 1 ? answers.shift() : answers[0]
  const isStatus = next === undefined || typeof next === 'number'
  response.writeHead(isStatus ? (next ?? 500) : 200, { 'content-type': 'application/json' })
  response.end(isStatus ? '' : JSON.stringify({ success: true, data: next }))
})

function startStream(response: ServerResponse): void {
  response.writeHead(200, { 'content-type': 'text/event-stream' }).write('retry: 1\n\n')
  streams.push(response)
}

const window = new Window({ url: 'http://localhost/' })
const fetchOfNode = globalThis.fetch
let gatewayUrl = ''
let leave: () => void = () => undefined
before(async () => {
  const { document, navigator } = window
  Object.assign(globalThis, { window, document, fetch: fetchOfNode, IS_REACT_ACT_ENVIRONMENT: true })
  Object.defineProperty(globalThis, 'navigator', { value: navigator, configurable: true })
  await new Promise<void>((resolve) => gateway.listen(0, '127.0.0.1', resolve))
  gatewayUrl = `http://127.0.0.1:${(gateway.address() as AddressInfo).port}`
})
afterEach(() => {
  leave()
  for (const stream of streams) stream.destroy()
  answers = []
  reads = []
  streams = []
  hasStream = false
})
after(async () => {
  gateway.closeAllConnections()
  gateway.close()
  await window.happyDOM.close()
})

type Seen = {
  readonly all: PaymentStatusResult[]
  readonly rerender: () => void
  readonly turnTo: (bookingId: string) => void
  readonly leave: () => void
}

/** A component that uses the hook as the lesson does: with options and functions that are new at every render. */
function show(options: PaymentStatusOptions = {}): Seen {
  const all: PaymentStatusResult[] = []
  let bookingId = 'bkg_1'
  const rerender = { now: (): void => undefined }
  function Page(): null {
    const [, setCount] = useState(0)
    useEffect(() => {
      rerender.now = () => setCount((count) => count + 1)
    })
    all.push(
      usePaymentStatus(bookingId, {
        gatewayUrl,
        ...QUICK,
        ...options,
        onSuccess: (payment) => options.onSuccess?.(payment),
        onFailure: (payment) => options.onFailure?.(payment),
      }),
    )
    return null
  }
  const element = document.createElement('div')
  const root = createRoot(element)
  act(() => root.render(createElement(StrictMode, null, createElement(Page))))
  leave = () => act(() => root.unmount())
  return {
    all,
    rerender: () => act(() => rerender.now()),
    turnTo: (next) => {
      bookingId = next
      act(() => rerender.now())
    },
    leave,
  }
}

async function until(fits: () => boolean, what: string): Promise<void> {
  for (const end = Date.now() + WAIT_MS_MAX; Date.now() < end;) {
    await act(() => setTimeout(5))
    if (fits()) return
  }
  assert.fail(`waited in vain until ${what}`)
}

const last = ({ all }: Seen): PaymentStatusResult => all.at(-1) ?? assert.fail('never rendered')
const statusReads = (): number => reads.filter((path) => path.includes('/status')).length

test('it begins pending and loading, polls, and ends with the success: told once, nothing asked after it', async () => {
  answers = [aPayment(), aPayment(), aPayment({ status: 'succeeded', version: 2 })]
  const successes: Payment[] = []
  const seen = show({ onSuccess: (payment) => successes.push(payment) })
  const [first] = seen.all
  assert.deepEqual([first?.status, first?.loading, first?.error], ['pending', true, null])
  await until(() => !last(seen).loading, 'it ends')
  assert.deepEqual([last(seen).status, last(seen).error, last(seen).attempts], ['succeeded', null, 3])
  const asked = reads.length
  for (let index = 0; index < 20; index += 1) seen.rerender()
  await act(() => setTimeout(60))
  assert.equal(reads.length, asked)
  assert.equal(successes.length, 1)
})

test('rendering again asks nothing: the number of calls is the number of attempts', async () => {
  answers = [aPayment()]
  const seen = show({ maxAttempts: 4 })
  for (let index = 0; index < 50; index += 1) seen.rerender()
  await until(() => !last(seen).loading, 'the tries are spent')
  assert.equal(last(seen).attempts, 4)
  assert.equal(statusReads(), 4)
  assert.equal(last(seen).status, 'pending')
})

test('a failed read is no failed payment', async () => {
  const failures: Payment[] = []
  answers = [aPayment(), 503, 500, aPayment({ status: 'succeeded', version: 2 })]
  const seen = show({ onFailure: (payment) => failures.push(payment) })
  await until(() => !last(seen).loading, 'it ends')
  assert.ok(seen.all.some(({ error, status }) => error === 'unavailable' && status === 'pending'))
  assert.deepEqual([last(seen).status, last(seen).error], ['succeeded', null])
  assert.deepEqual(failures, [])
})

test('a refusal is told once', async () => {
  const failures: Payment[] = []
  answers = [aPayment({ status: 'failed', errorCode: 'expired_card' })]
  const seen = show({ onFailure: (payment) => failures.push(payment) })
  await until(() => failures.length > 0, 'the refusal is told')
  seen.rerender()
  assert.equal(failures.length, 1)
  assert.equal(failures[0]?.errorCode, 'expired_card')
})

test('with a stream nothing is polled, and the change arrives by it', async () => {
  hasStream = true
  const seen = show()
  const tell = (payment: Payment): void => {
    streams.at(-1)?.write(`id: ${payment.version}\nevent: status\ndata: ${JSON.stringify(payment)}\n\n`)
  }
  await until(() => streams.length > 0, 'the stream is open')
  tell(aPayment({ status: 'processing' }))
  await until(() => last(seen).status === 'processing', 'the first state is shown')
  tell(aPayment({ status: 'succeeded', version: 2 }))
  await until(() => !last(seen).loading, 'it ends')
  assert.equal(statusReads(), 0)
  await until(() => streams.every(({ closed }) => closed), 'the stream is closed')
})

test('what a server learnt is there at the first render, and a settled payment asks nothing', async () => {
  const payment = aPayment({ status: 'succeeded' })
  const successes: Payment[] = []
  const seen = show({
    initial: { payment, verification: { state: 'none' } },
    onSuccess: (paid) => successes.push(paid),
  })
  assert.deepEqual([seen.all[0]?.status, seen.all[0]?.loading], ['succeeded', false])
  await until(() => successes.length === 1, 'the success is told')
  assert.equal(reads.length, 0)
})

test('leaving ends what is under way', async () => {
  hasStream = true
  const seen = show()
  await until(() => streams.length > 0, 'the stream is open')
  seen.leave()
  leave = () => undefined
  await until(() => streams.every(({ closed }) => closed), 'the stream is closed')
})

test('a payment nobody may see is unknown, not failed', async () => {
  answers = [404]
  const seen = show()
  await until(() => last(seen).error === 'unknown', 'it is unknown')
  assert.deepEqual([last(seen).status, last(seen).loading], ['pending', false])
})

test('another booking begins anew: what was known of the first says nothing about it, and only it is asked about', async () => {
  const first = aPayment({ status: 'succeeded' })
  answers = [aPayment({ bookingId: 'bkg_2', status: 'processing' })]
  const successes: Payment[] = []
  const seen = show({
    initial: { payment: first, verification: { state: 'none' } },
    onSuccess: (payment) => successes.push(payment),
  })
  const before = seen.all.length
  seen.turnTo('bkg_2')
  assert.deepEqual([...new Set(seen.all.slice(before).map(({ status }) => status))], ['pending'])
  await until(() => last(seen).status === 'processing', 'the second booking is known')
  assert.ok(reads.every((path) => path.includes('/bkg_2/')))
  assert.deepEqual(successes, [first])
})

test('another booking that a server asked about as well is right at its first render', async () => {
  const known = (bookingId: string): Known => ({
    payment: aPayment({ bookingId, status: 'succeeded' }),
    verification: { state: 'none' },
  })
  const options = { initial: known('bkg_1') }
  const seen = show(options)
  const before = seen.all.length
  options.initial = known('bkg_2')
  seen.turnTo('bkg_2')
  const paid = seen.all.slice(before).map(({ snapshot }) => snapshot.payment?.bookingId)
  assert.deepEqual([...new Set(paid)], ['bkg_2'])
  await act(() => setTimeout(20))
  assert.deepEqual(reads, [])
})

test('a refusal that is read again when the payer comes back is not told again', async () => {
  const failures: Payment[] = []
  answers = [aPayment({ status: 'failed', errorCode: 'expired_card' })]
  show({ onFailure: (payment) => failures.push(payment) })
  await until(() => failures.length > 0, 'the refusal is told')
  const asked = statusReads()
  window.dispatchEvent(new window.Event('online'))
  await until(() => statusReads() > asked, 'it is asked again')
  await act(() => setTimeout(30))
  assert.equal(failures.length, 1)
})

test('the page that has just loaded is no return: being shown asks nothing more', async () => {
  answers = [aPayment({ status: 'failed', errorCode: 'expired_card' })]
  const seen = show()
  await until(() => !last(seen).loading, 'it is refused')
  const asked = reads.length
  const shown = (persisted: boolean): void => {
    window.dispatchEvent(Object.assign(new window.Event('pageshow'), { persisted }))
  }
  shown(false)
  await act(() => setTimeout(30))
  assert.equal(reads.length, asked)
  shown(true)
  await until(() => reads.length > asked, 'it is asked when the page comes out of the browser’s store')
})

test('on a server it renders what is known and asks nothing', async () => {
  function Page({ initial }: { initial: PaymentStatusOptions['initial'] }): string {
    const { status, loading } = usePaymentStatus('bkg_1', { gatewayUrl, initial: initial ?? null })
    return `${status} ${loading}`
  }
  const payment = aPayment({ status: 'succeeded' })
  assert.equal(renderToString(createElement(Page, { initial: null })), 'pending true')
  const initial = { payment, verification: { state: 'none' } } as const
  assert.equal(renderToString(createElement(Page, { initial })), 'succeeded false')
  await setTimeout(20)
  assert.deepEqual(reads, [])
})

test('a hidden tab asks nothing more, and asks at once when it is brought forward', async () => {
  const turn = (visibility: string): void => {
    Object.defineProperty(document, 'visibilityState', { get: () => visibility, configurable: true })
    window.document.dispatchEvent(new window.Event('visibilitychange'))
  }
  answers = [aPayment()]
  turn('hidden')
  const seen = show()
  await until(() => statusReads() > 0, 'it is asked once')
  await act(() => setTimeout(20))
  const asked = statusReads()
  await act(() => setTimeout(100))
  assert.equal(statusReads(), asked)
  answers = [aPayment({ status: 'succeeded', version: 2 })]
  turn('visible')
  await until(() => !last(seen).loading, 'it ends')
  assert.equal(last(seen).status, 'succeeded')
})
