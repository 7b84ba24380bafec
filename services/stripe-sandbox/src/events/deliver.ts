import { setTimeout as delay } from 'node:timers/promises'
import type { Log } from '@passerelle/kit/log'
import type { Change } from '../store/journal.ts'
import type { AttemptRecord, DeliveryRecord, EventRecord, WebhookEndpointRecord } from '../store/records.ts'
import type { Scheduler } from '../store/scheduler.ts'
import type { Store } from '../store/store.ts'
import { NOBODY } from '../store/store.ts'
import { pretty } from '../http/pretty.ts'
import { deliveryId, pendingWebhooks, renderEvent } from './event.ts'
import { signatureHeader } from './signature.ts'
import { renderThinEvent } from './thin-event.ts'
import type { ResendTo } from './event.routes.ts'
import { API_VERSION } from '../settings.ts'
import type { Parcel, Result } from './send-parcel.ts'
import { noAnswerWithin, Sender } from './send-parcel.ts'
import { activeSecrets, endpointOf, endpointsOf, isListener } from './webhook-endpoint.ts'
import type { Relay } from '../listen/relay.ts'
import type { WebhookRule } from '../faults/fault.ts'
import { shuffled } from '../faults/fault.ts'
import type { Faults } from '../faults/faults.ts'
import { newId, newNumberedId } from '../ids.ts'

type Trigger = AttemptRecord['trigger']
type Lane = { active: number; readonly limit: number; readonly waiting: string[] }
type Flaw = {
  readonly corrupt?: true
  readonly thin?: true
  readonly skewSeconds?: number
  readonly slowMs?: number
}

// More would queue inside the agent, where the time-out of an attempt already runs.
const MAX_AT_ONCE_PER_ENDPOINT = 50
const MAX_ATTEMPTS_KEPT = 50
const MAX_TIMEOUT_MS = 30_000

/** Sends what the delivery rows say is due, records every attempt, and tries again on the retry schedule. */
export class Deliverer {
  readonly #store: Store
  readonly #scheduler: Scheduler
  readonly #log: Log
  readonly #faults: Faults
  readonly #flaws = new Map<string, Flaw>()
  readonly #faultless = new Set<string>()
  readonly #failingSince = new Map<string, number>()
  readonly #lanes = new Map<string, Lane>()
  #held: string[] = []
  readonly #sender = new Sender()
  readonly #relay: Relay
  readonly #inFlight = new Map<string, Promise<void>>()
  readonly #waiters = new Set<() => void>()
  readonly #stopping = new AbortController()

  constructor(deps: { store: Store; scheduler: Scheduler; log: Log; faults: Faults; relay: Relay }) {
    this.#store = deps.store
    this.#scheduler = deps.scheduler
    this.#log = deps.log
    this.#faults = deps.faults
    this.#relay = deps.relay
    this.#store.onCommit((changes) => this.#startNew(changes))
  }

  /** Takes up what an earlier process left pending. */
  resume(): void {
    for (const delivery of this.#store.table('deliveries').oldestFirst()) this.#schedule(delivery)
  }

  get paused(): boolean {
    const setting = this.#store.get('settings', 'webhooks')
    return setting?.id === 'webhooks' && setting.paused
  }

  /** Blocks or unblocks every automatic delivery; what became due meanwhile starts at once when unblocked. */
  setPaused(paused: boolean): void {
    this.#store.transact(NOBODY, (tx) => tx.put('settings', { id: 'webhooks', paused }))
    if (!paused) this.resume()
  }

  /** Sends an event again by hand. It neither cancels nor counts as an automatic attempt. */
  async resend(event: EventRecord, endpoint: WebhookEndpointRecord): Promise<AttemptRecord | undefined> {
    const id = deliveryId(event.id, endpoint.id)
    if (!this.#store.get('deliveries', id)) {
      this.#store.transact(NOBODY, (tx) => {
        tx.put('events', { ...event, endpoints: [...event.endpoints, endpoint.id] })
        tx.put('deliveries', {
          id,
          event: event.id,
          endpoint: endpoint.id,
          status: 'failed',
          automaticAttempts: 0,
          nextAttemptMs: null,
          attempts: [],
        })
      })
    }
    await this.#attempt(id, 'manual')
    return this.#store.get('deliveries', id)?.attempts.at(-1)
  }

  /** Sends an event again, without waiting. */
  resendAll(eventId: string, to: ResendTo): void {
    const event = this.#store.get('events', eventId)
    if (!event) return
    for (const endpoint of endpointsOf(this.#store)) {
      if (to === 'terminals' && !isListener(this.#store, endpoint.id)) continue
      if (to !== null && typeof to === 'object' && endpoint.id !== to.endpoint) continue
      const sent = this.resend(event, endpoint).then(() => {})
      this.#track(`${deliveryId(eventId, endpoint.id)} ${newId('again')}`, sent)
    }
  }

  /** Resolves when every endpoint of the event has answered 2xx, or after `timeoutMs` of real time. */
  async acknowledged(eventId: string, timeoutMs: number): Promise<boolean> {
    const done = (): boolean => {
      const event = this.#store.get('events', eventId)
      return !event || pendingWebhooks(this.#store, event) === 0
    }
    if (done()) return true
    return new Promise((resolve) => {
      const finish = (answer: boolean): void => {
        clearTimeout(timer)
        this.#waiters.delete(check)
        resolve(answer)
      }
      const check = (): void => {
        if (done()) finish(true)
        else if (this.#stopping.signal.aborted) finish(false)
      }
      const timer = setTimeout(() => finish(false), timeoutMs)
      this.#waiters.add(check)
    })
  }

  /** Resolves when no attempt is under way. */
  async idle(): Promise<void> {
    while (this.#inFlight.size > 0) await Promise.allSettled(this.#inFlight.values())
  }

  async stop(): Promise<void> {
    this.#stopping.abort()
    for (const check of this.#waiters) check()
    // What is under way ends with its connections.
    await this.#sender.close()
    await Promise.allSettled(this.#inFlight.values())
  }

  #startNew(changes: readonly Change[]): void {
    for (const { t, put } of changes) {
      if (t !== 'deliveries' || !put) continue
      const delivery = put as DeliveryRecord
      if (delivery.status === 'pending' && delivery.attempts.length === 0) this.#startSpoiled(delivery)
    }
  }

  // The first attempt of a delivery is where a fault strikes; its retries are honest.
  #startSpoiled(delivery: DeliveryRecord): void {
    const { id } = delivery
    if (this.#faults.isQuiet) {
      this.#start(id)
      return
    }
    const type = this.#store.get('events', delivery.event)?.type ?? ''
    const exempt = this.#faultless.delete(id)
    const rule = exempt || this.paused ? undefined : this.#faults.forDelivery(type)
    if (!rule) {
      this.#start(id)
      return
    }
    this.#log.info({ fault: rule.fault, event: delivery.event, type }, 'fault.struck')
    this.#spoil(delivery, rule)
  }

  #spoil(delivery: DeliveryRecord, rule: WebhookRule): void {
    const { id } = delivery
    switch (rule.fault) {
      case 'drop':
        queueMicrotask(() => this.#drop(id))
        return
      case 'delay':
        this.#scheduler.at(this.#store.clock.nowMs() + rule.delayMs, () => this.#start(id))
        return
      case 'shuffle':
        this.#hold(id, rule.delayMs)
        return
      case 'duplicate':
        this.#start(id)
        this.#track(`${id} twice`, this.#attempt(id, 'duplicate'))
        return
      case 'duplicate_new_id':
        this.#start(id)
        queueMicrotask(() => this.#twin(delivery))
        return
      case 'corrupt_signature':
        this.#flaws.set(id, { corrupt: true })
        break
      case 'skew':
        this.#flaws.set(id, { skewSeconds: rule.skewSeconds })
        break
      case 'thin':
        this.#flaws.set(id, { thin: true })
        break
      case 'slow':
        this.#flaws.set(id, { slowMs: rule.delayMs })
        break
    }
    this.#start(id)
  }

  #drop(id: string): void {
    const delivery = this.#store.get('deliveries', id)
    if (!delivery) return
    this.#store.transact(NOBODY, (tx) =>
      tx.put('deliveries', { ...delivery, status: 'stopped', nextAttemptMs: null }),
    )
  }

  #hold(id: string, windowMs: number): void {
    this.#held.push(id)
    if (this.#held.length > 1) return
    this.#scheduler.at(this.#store.clock.nowMs() + windowMs, () => {
      const mixed = shuffled(this.#held, this.#faults.random)
      this.#held = []
      for (const held of mixed) this.#start(held)
    })
  }

  // Two events about one thing: Stripe does that too.
  #twin(delivery: DeliveryRecord): void {
    const event = this.#store.get('events', delivery.event)
    if (!event) return
    const id = newNumberedId('evt')
    const twin = deliveryId(id, delivery.endpoint)
    this.#faultless.add(twin)
    this.#store.transact(NOBODY, (tx) => {
      tx.put('events', { ...event, id, endpoints: [delivery.endpoint] })
      tx.put('deliveries', { ...delivery, id: twin, event: id })
    })
  }

  // A success by hand does not cancel the automatic attempts: they go on until one of them succeeds.
  #schedule(delivery: DeliveryRecord): void {
    const { id, nextAttemptMs } = delivery
    if (nextAttemptMs === null) return
    this.#scheduler.at(nextAttemptMs, () => {
      if (this.#store.get('deliveries', id)?.nextAttemptMs === nextAttemptMs) this.#start(id)
    })
  }

  #start(id: string): void {
    if (this.paused || this.#inFlight.has(id) || this.#stopping.signal.aborted) return
    const delivery = this.#store.get('deliveries', id)
    if (!delivery || (delivery.nextAttemptMs ?? Infinity) > this.#store.clock.nowMs()) return
    const lane = this.#laneOf(delivery.endpoint)
    if (lane.active >= lane.limit) {
      lane.waiting.push(id)
      return
    }
    lane.active++
    this.#track(id, this.#attempt(id, 'automatic'), lane)
  }

  #laneOf(endpoint: string): Lane {
    const known = this.#lanes.get(endpoint)
    if (known) return known
    // A listener takes everything over one socket.
    const limit = isListener(this.#store, endpoint) ? Infinity : MAX_AT_ONCE_PER_ENDPOINT
    const lane: Lane = { active: 0, limit, waiting: [] }
    this.#lanes.set(endpoint, lane)
    return lane
  }

  #track(key: string, attempt: Promise<void>, lane?: Lane): void {
    this.#inFlight.set(key, this.#ended(key, attempt, lane))
  }

  async #ended(key: string, attempt: Promise<void>, lane: Lane | undefined): Promise<void> {
    try {
      await attempt
    } catch (error) {
      this.#log.error({ err: error, delivery: key }, 'delivery.crashed')
    }
    this.#inFlight.delete(key)
    if (lane) this.#leave(lane)
  }

  #leave(lane: Lane): void {
    lane.active--
    // Some that waited are no longer due: go on until one starts.
    while (lane.active < lane.limit) {
      const next = lane.waiting.shift()
      if (next === undefined) return
      this.#start(next)
    }
  }

  async #attempt(id: string, trigger: Trigger): Promise<void> {
    const delivery = this.#store.get('deliveries', id)
    const event = this.#store.get('events', delivery?.event ?? '')
    if (!delivery || !event) return
    const endpoint = endpointOf(this.#store, delivery.endpoint)
    if (trigger === 'automatic' && endpoint?.status !== 'enabled') {
      this.#store.transact(NOBODY, (tx) =>
        tx.put('deliveries', { ...delivery, status: 'stopped', nextAttemptMs: null }),
      )
      return
    }
    if (!endpoint) return
    const started = performance.now()
    const flaw = this.#flaws.get(id)
    this.#flaws.delete(id)
    const parcel = this.#parcel(event, endpoint, flaw)
    const sent = await this.#send(endpoint, parcel)
    const result = flaw?.slowMs ? await this.#slowed(sent, flaw.slowMs) : sent
    if (this.#stopping.signal.aborted && result.status === null) return
    const durationMs = Math.round(performance.now() - started)
    this.#record(id, event.type, {
      at: new Date().toISOString(),
      ...result,
      durationMs,
      trigger,
      signature: parcel.signature,
    })
  }

  // As if the endpoint took that much longer to answer. Beyond the time-out it has done its work and still counts as failed.
  async #slowed(result: Result, slowMs: number): Promise<Result> {
    const { deliveryTimeoutMs } = this.#store.settings
    const { signal } = this.#stopping
    await delay(Math.min(slowMs, deliveryTimeoutMs), undefined, { signal }).catch(() => {})
    return slowMs < deliveryTimeoutMs ? result : { status: null, error: noAnswerWithin(deliveryTimeoutMs) }
  }

  #send(endpoint: WebhookEndpointRecord, parcel: Parcel): Promise<Result> {
    const timeoutMs = Math.min(this.#store.settings.deliveryTimeoutMs, MAX_TIMEOUT_MS)
    if (isListener(this.#store, endpoint.id)) return this.#relay.send(endpoint.id, parcel, timeoutMs)
    return this.#sender.send(parcel, timeoutMs)
  }

  #parcel(event: EventRecord, endpoint: WebhookEndpointRecord, flaw: Flaw | undefined): Parcel {
    const version = endpoint.apiVersion ?? API_VERSION
    const isThin = endpoint.destination?.payload === 'thin' || flaw?.thin || event.type.startsWith('v2.')
    const body = pretty(isThin ? renderThinEvent(event) : renderEvent(this.#store, event, version))
    const active = activeSecrets(endpoint, this.#store.clock.nowMs())
    const secrets = flaw?.corrupt ? active.map((secret) => `${secret}?`) : active
    // Real time, whatever the sandbox's clock says: receivers compare it with theirs.
    const t = Math.floor(Date.now() / 1000) + (flaw?.skewSeconds ?? 0)
    return { url: endpoint.url, body, signature: signatureHeader(body, t, secrets) }
  }

  #record(id: string, type: string, attempt: AttemptRecord): void {
    const { trigger } = attempt
    const delivery = this.#store.get('deliveries', id)
    if (!delivery) return
    const succeeded = attempt.status !== null && attempt.status >= 200 && attempt.status < 300
    const attempts = [...delivery.attempts, attempt].slice(-MAX_ATTEMPTS_KEPT)
    const next = trigger === 'automatic' ? this.#afterAutomatic(delivery, succeeded) : delivery
    const row = { ...next, attempts, ...(succeeded ? { status: 'delivered' as const } : {}) }
    // Not worth a write of its own: after a kill the event is sent again, as it may be anyway.
    this.#store.note((tx) => tx.put('deliveries', row))
    this.#log.info(
      {
        event: delivery.event,
        type,
        status: attempt.status,
        error: attempt.error ?? undefined,
        attempt: attempts.length,
        durationMs: attempt.durationMs,
      },
      succeeded ? 'webhook.delivered' : 'webhook.failed',
    )
    this.#judge(delivery.endpoint, succeeded)
    if (trigger === 'automatic') this.#schedule(row)
    for (const check of this.#waiters) check()
  }

  // Whether Stripe disables an endpoint that only fails is not published: off unless a setting says when.
  #judge(endpointId: string, succeeded: boolean): void {
    const limitMs = this.#store.settings.assume.endpointDisabledAfterMs
    const nowMs = this.#store.clock.nowMs()
    if (succeeded || limitMs === 0) {
      this.#failingSince.delete(endpointId)
      return
    }
    const sinceMs = this.#failingSince.get(endpointId) ?? nowMs
    this.#failingSince.set(endpointId, sinceMs)
    const endpoint = this.#store.get('webhook_endpoints', endpointId)
    if (!endpoint || nowMs - sinceMs < limitMs) return
    this.#store.transact(NOBODY, (tx) => tx.put('webhook_endpoints', { ...endpoint, status: 'disabled' }))
  }

  #afterAutomatic(delivery: DeliveryRecord, succeeded: boolean): DeliveryRecord {
    const automaticAttempts = delivery.automaticAttempts + 1
    if (succeeded) return { ...delivery, automaticAttempts, nextAttemptMs: null }
    // Whoever listens from a terminal sees the failure there: nothing is sent again.
    const isOnce = isListener(this.#store, delivery.endpoint)
    const delayMs = isOnce ? undefined : this.#store.settings.retryDelaysMs[automaticAttempts - 1]
    if (delayMs === undefined) {
      const status = delivery.status === 'delivered' ? 'delivered' : 'failed'
      return { ...delivery, automaticAttempts, status, nextAttemptMs: null }
    }
    return { ...delivery, automaticAttempts, nextAttemptMs: this.#store.clock.nowMs() + delayMs }
  }
}
