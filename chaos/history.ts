// What happened in a campaign, as it was seen from outside the gateway.

/** One PUT of an announcement as it arrived in front of the booking service. Times are milliseconds of this machine. */
export type Told = {
  readonly bookingId: string
  readonly key: string | null
  readonly body: Readonly<Record<string, unknown>>
  readonly arrivedMs: number
  /** What the sender was answered; null when its connection was cut or left hanging. */
  answered: number | null
  answeredMs: number | null
  /** What the booking service itself answered, when it was asked. */
  serviceAnswered: number | null
}

/** What a client was told in the end; null: it gave up without a final answer. */
export type Answered = { readonly status: number; readonly body: unknown } | null

export type ClientAction = {
  readonly kind: 'open' | 'cancel' | 'refund' | 'verify' | 'pay' | 'poison'
  readonly bookingId: string
  readonly atMs: number
  /** The Idempotency-Key of a refund, the session of a verify or pay, the event of a poison. */
  readonly about: string
  readonly askedMinor: number | null
  readonly answered: Answered
}

export type BookedByClient = {
  readonly bookingId: string
  readonly life: string
  readonly amountMinor: number
  readonly currency: string
}

export type History = {
  readonly bookings: BookedByClient[]
  readonly actions: ClientAction[]
  readonly told: Told[]
  /** Lines of what the nemesis did and what processes did by themselves, for a person. */
  readonly log: string[]
  /** How often each fault struck. */
  readonly faults: Map<string, number>
  /** Processes that ended although nobody had ended them. */
  readonly unexpectedEnds: string[]
  /** Milliseconds that payers and operators waited, by what for: where a slow campaign spends its time. */
  readonly waitsMs: Map<string, number[]>
  /** Milliseconds until something answered again, by what had been struck. */
  readonly recoveriesMs: Map<string, number[]>
}

export function createHistory(): History {
  return {
    bookings: [],
    actions: [],
    told: [],
    log: [],
    faults: new Map(),
    unexpectedEnds: [],
    waitsMs: new Map(),
    recoveriesMs: new Map(),
  }
}

export function countFault(history: History, name: string, times = 1): void {
  history.faults.set(name, (history.faults.get(name) ?? 0) + times)
}

export function note(history: History, line: string): void {
  history.log.push(`${new Date().toISOString()} ${line}`)
}

export function recordRecovery(history: History, what: string, ms: number): void {
  addTo(history.recoveriesMs, what, ms)
}

/** Runs `wait` and writes down how long it took. */
export async function timed<T>(history: History, what: string, wait: () => Promise<T>): Promise<T> {
  const startedMs = performance.now()
  try {
    return await wait()
  } finally {
    addTo(history.waitsMs, what, performance.now() - startedMs)
  }
}

function addTo(lists: Map<string, number[]>, name: string, value: number): void {
  const list = lists.get(name) ?? []
  list.push(value)
  lists.set(name, list)
}
