import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setImmediate } from 'node:timers/promises'
import { aPayment, aVerification } from './sample-payment.ts'
import { SLOW_AFTER_MS, watchPayment } from './watch-payment.ts'
import type { Payment, Verification } from './payment.ts'
import type {
  PaymentSource,
  PaymentWatch,
  ReadOutcome,
  StreamEnd,
  WatchEnvironment,
  WatchSnapshot,
} from './watch-payment.ts'

const UNAVAILABLE = { kind: 'unavailable', retryAfterMs: null } as const

function answer<T>(value: T): ReadOutcome<T> {
  return { kind: 'answer', value }
}

/** Pauses end when the test says so, or at once; what they asked for is kept. */
function environment(options: { holdAfter?: number } = {}): WatchEnvironment & { pauses: (number | null)[] } {
  const pauses: (number | null)[] = []
  const untilAborted = (signal: AbortSignal): Promise<void> =>
    new Promise((resolve) => {
      if (signal.aborted) resolve()
      signal.addEventListener('abort', () => resolve())
    })
  return {
    pauses,
    random: () => 0.5,
    isOnline: () => true,
    // Only the mark of slowness waits that long in these tests.
    delay: (ms, signal) => (ms < SLOW_AFTER_MS ? Promise.resolve() : untilAborted(signal)),
    onWake: () => undefined,
    pause: async (ms, signal) => {
      pauses.push(ms)
      const isHeld = ms === null || (options.holdAfter !== undefined && pauses.length > options.holdAfter)
      await (isHeld ? untilAborted(signal) : setImmediate())
    },
  }
}

/** Resolves with the first snapshot that fits, and stops watching. */
function until(watch: PaymentWatch, fits: (snapshot: WatchSnapshot) => boolean): Promise<WatchSnapshot> {
  const { promise, resolve } = Promise.withResolvers<WatchSnapshot>()
  const look = (): void => {
    if (fits(watch.getSnapshot())) resolve(watch.getSnapshot())
  }
  const stop = watch.subscribe(look)
  look()
  return promise.finally(stop)
}

const isSettled = ({ phase }: WatchSnapshot): boolean => phase === 'settled'

/** A page the payer leaves and comes back to: `wake` is their return. */
function pageOfPayer(): { readonly page: WatchEnvironment; readonly wake: () => void } {
  let listener: () => void = () => assert.fail('nobody listens for the payer')
  const page: WatchEnvironment = { ...environment(), onWake: (callback) => (listener = callback) }
  return { page, wake: () => listener() }
}

const REFUSED = {
  payment: aPayment({ status: 'failed', version: 2 }),
  verification: { state: 'none' },
} as const

function scripted(answers: readonly ReadOutcome<Payment>[]): PaymentSource & { reads: () => number } {
  let reads = 0
  return {
    reads: () => reads,
    readStatus: async () => answers[Math.min(reads++, answers.length - 1)] ?? UNAVAILABLE,
  }
}

test('polling goes on through failed reads and stops with the answer that settles the payment', async () => {
  const source = scripted([
    answer(aPayment()),
    UNAVAILABLE,
    { kind: 'unavailable', retryAfterMs: 20_000 },
    answer(aPayment({ status: 'succeeded', version: 2 })),
  ])
  const pauses = environment()
  const last = await until(watchPayment(source, { environment: pauses }), isSettled)
  assert.equal(last.payment?.status, 'succeeded')
  assert.equal(last.attempts, 4)
  assert.equal(source.reads(), 4)
  assert.deepEqual(pauses.pauses, [1000, 1500, 20_000])
})

test('a failed read keeps what was known', async () => {
  const source = scripted([answer(aPayment({ status: 'processing' })), UNAVAILABLE])
  const watch = watchPayment(source, { environment: environment({ holdAfter: 1 }) })
  const seen = await until(watch, ({ problem }) => problem === 'unavailable')
  assert.equal(seen.payment?.status, 'processing')
  assert.equal(seen.phase, 'watching')
})

test('an older answer that arrives late changes nothing', async () => {
  const source: PaymentSource = {
    readStatus: async () => answer(aPayment({ status: 'succeeded', version: 9 })),
    stream: async (_signal, onPayment) => {
      onPayment(aPayment({ status: 'processing', version: 7 }))
      onPayment(aPayment({ status: 'pending', version: 3 }))
      return 'ended'
    },
  }
  const statuses: (string | undefined)[] = []
  const watch = watchPayment(source, { environment: environment() })
  watch.subscribe(() => statuses.push(watch.getSnapshot().payment?.status))
  await until(watch, isSettled)
  assert.ok(!statuses.includes('pending'))
})

test('with a stream nothing is polled, and the stream is closed once the payment is settled', async () => {
  let closed = false
  const source: PaymentSource = {
    readStatus: () => assert.fail('polled'),
    stream: (signal, onPayment) =>
      new Promise((resolve) => {
        signal.addEventListener('abort', () => {
          closed = true
          resolve('ended')
        })
        onPayment(aPayment())
        queueMicrotask(() => onPayment(aPayment({ status: 'succeeded', version: 2 })))
      }),
  }
  const watch = watchPayment(source, { environment: environment() })
  const stop = watch.subscribe(() => undefined)
  const last = await until(watch, isSettled)
  assert.equal(last.payment?.status, 'succeeded')
  assert.ok(closed)
  stop()
})

test('a stream that is not offered is asked for once, and one that broke is taken up again', async () => {
  const countStreams = async (end: StreamEnd): Promise<number> => {
    let streams = 0
    const source: PaymentSource = {
      ...scripted([
        answer(aPayment()),
        answer(aPayment()),
        answer(aPayment({ status: 'succeeded', version: 2 })),
      ]),
      stream: async () => {
        streams++
        return end
      },
    }
    await until(watchPayment(source, { environment: environment() }), isSettled)
    return streams
  }
  assert.equal(await countStreams('not_offered'), 1)
  assert.equal(await countStreams('held_back'), 1)
  assert.equal(await countStreams('unreachable'), 3)
  assert.equal(await countStreams('ended'), 3)
})

test('after the last attempt only the payer’s own wish asks again', async () => {
  const source = scripted([answer(aPayment())])
  const pauses = environment()
  const polling = { initialIntervalMs: 1000, maxIntervalMs: 10_000, attemptsMax: 3 }
  const watch = watchPayment(source, { environment: pauses, polling })
  const stop = watch.subscribe(() => undefined)
  await until(watch, ({ phase }) => phase === 'exhausted')
  assert.equal(source.reads(), 3)
  assert.equal(pauses.pauses.at(-1), null)
  watch.recheck()
  await until(watch, ({ attempts }) => attempts === 4)
  stop()
})

test('a refusal settles only after Stripe was asked, and Stripe’s answer is read at once', async () => {
  const verified = Promise.withResolvers<ReadOutcome<Verification>>()
  const source: PaymentSource = {
    ...scripted([
      answer(aPayment({ status: 'failed', errorCode: 'generic_decline' })),
      answer(aPayment({ status: 'succeeded', version: 2 })),
    ]),
    verify: () => verified.promise,
  }
  const watch = watchPayment(source, { environment: environment({ holdAfter: 0 }) })
  const stop = watch.subscribe(() => undefined)
  const refused = await until(watch, ({ payment }) => payment?.status === 'failed')
  assert.equal(refused.phase, 'watching')
  verified.resolve(answer(aVerification({ status: 'complete', paymentStatus: 'succeeded' })))
  const last = await until(watch, isSettled)
  stop()
  assert.equal(last.payment?.status, 'succeeded')
})

test('asking Stripe is repeated while it cannot be asked, at most five times', async () => {
  let asked = 0
  const source: PaymentSource = {
    readStatus: async () => answer(aPayment()),
    verify: async () => {
      asked++
      return UNAVAILABLE
    },
  }
  const polling = { initialIntervalMs: 1000, maxIntervalMs: 10_000, attemptsMax: 8 }
  const watch = watchPayment(source, { environment: environment(), polling })
  await until(watch, ({ phase }) => phase === 'exhausted')
  assert.equal(asked, 5)
  assert.equal(watch.getSnapshot().verification.state, 'unavailable')
})

test('a payment nobody may see ends the watch; one that was seen is not doubted', async () => {
  const stranger = await until(
    watchPayment(scripted([{ kind: 'unknown' }]), { environment: environment() }),
    isSettled,
  )
  assert.equal(stranger.problem, 'unknown')
  const watch = watchPayment(scripted([answer(aPayment()), { kind: 'unknown' }]), {
    environment: environment({ holdAfter: 1 }),
  })
  const seen = await until(watch, ({ problem }) => problem !== null)
  assert.equal(seen.problem, 'unavailable')
})

test('whatever is under way ends once nobody listens', async () => {
  let signal: AbortSignal | undefined
  const source: PaymentSource = {
    readStatus: async (given) => {
      signal = given
      return answer(aPayment())
    },
  }
  const watch = watchPayment(source, { environment: environment({ holdAfter: 0 }) })
  await until(watch, ({ payment }) => payment !== null)
  assert.ok(signal?.aborted)
})

test('a page whose server asked already asks nothing more, once the payment is settled', () => {
  const source: PaymentSource = { readStatus: () => assert.fail('asked') }
  const payment = aPayment({ status: 'succeeded' })
  const initial = { payment, verification: { state: 'none' } } as const
  const watch = watchPayment(source, { environment: environment(), initial })
  assert.equal(watch.getSnapshot().phase, 'settled')
  const stop = watch.subscribe(() => assert.fail('changed'))
  stop()
})

test('a page whose server heard nothing from Stripe asks by itself', async () => {
  const initial = { payment: aPayment(), verification: { state: 'unavailable' } } as const
  const source: PaymentSource = {
    ...scripted([answer(aPayment())]),
    verify: async () => answer(aVerification({ status: 'complete' })),
  }
  const watch = watchPayment(source, { environment: environment(), initial })
  await until(watch, ({ verification }) => verification.state === 'answered')
})

test('a payer who comes back to the page is told at once, though the stream died while the computer slept', async () => {
  const { page, wake } = pageOfPayer()
  const source: PaymentSource = {
    ...scripted([answer(aPayment({ status: 'succeeded', version: 2 }))]),
    stream: (signal, onPayment) => {
      onPayment(aPayment())
      return new Promise((resolve) => {
        signal.addEventListener('abort', () => resolve('ended'))
      })
    },
  }
  const watch = watchPayment(source, { environment: page })
  const stop = watch.subscribe(() => undefined)
  await until(watch, ({ payment }) => payment !== null)
  wake()
  const last = await until(watch, isSettled)
  stop()
  assert.equal(last.payment?.status, 'succeeded')
})

test('a refusal that was paid in another tab is paid here too, once the payer comes back', async () => {
  const { page, wake } = pageOfPayer()
  const source = scripted([answer(aPayment({ status: 'succeeded', version: 3 }))])
  const watch = watchPayment(source, { environment: page, initial: REFUSED })
  const stop = watch.subscribe(() => undefined)
  assert.equal(watch.getSnapshot().phase, 'settled')
  assert.equal(source.reads(), 0)
  wake()
  await until(watch, ({ payment }) => payment?.status === 'succeeded')
  stop()
})

test('a refusal that is being paid again in another tab is followed once more, until it is paid', async () => {
  const { page, wake } = pageOfPayer()
  const source = scripted([
    answer(aPayment({ status: 'pending', version: 3 })),
    answer(aPayment({ status: 'processing', version: 4 })),
    answer(aPayment({ status: 'succeeded', version: 5 })),
  ])
  const watch = watchPayment(source, { environment: page, initial: REFUSED })
  const phases = new Set<string>()
  const stop = watch.subscribe(() => {
    const { phase, payment } = watch.getSnapshot()
    phases.add(`${payment?.status} ${phase}`)
  })
  wake()
  const last = await until(watch, ({ payment }) => payment?.status === 'succeeded')
  stop()
  assert.equal(last.phase, 'settled')
  assert.deepEqual([...phases], ['pending watching', 'processing watching', 'succeeded settled'])
})

test('a tab brought forward and a network that is back at once make one question', async () => {
  const { page, wake } = pageOfPayer()
  const source = scripted([answer(aPayment({ status: 'failed', version: 2 }))])
  const watch = watchPayment(source, { environment: page, initial: REFUSED })
  const stop = watch.subscribe(() => undefined)
  for (let times = 0; times < 5; times++) wake()
  await setImmediate()
  assert.equal(source.reads(), 1)
  wake()
  await setImmediate()
  stop()
  assert.equal(source.reads(), 2)
})

test('what ended without money is asked about again at the payer’s own wish', async () => {
  const source = scripted([answer(aPayment({ status: 'succeeded', version: 3 }))])
  const watch = watchPayment(source, { environment: environment(), initial: REFUSED })
  const stop = watch.subscribe(() => undefined)
  watch.recheck()
  await until(watch, ({ payment }) => payment?.status === 'succeeded')
  stop()
})
