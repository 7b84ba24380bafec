import type { Clock } from './clock.ts'

type Entry = { readonly dueMs: number; readonly order: number; readonly run: () => void }

const MAX_TIMER_MS = 2 ** 30

/** Runs callbacks when the sandbox's clock reaches their time, in order of time and then of registration. */
export class Scheduler {
  readonly #clock: Clock
  readonly #onError: (error: unknown) => void
  #heap: Entry[] = []
  #order = 0
  #timer: NodeJS.Timeout | undefined
  #stopped = false

  constructor(clock: Clock, onError: (error: unknown) => void) {
    this.#clock = clock
    this.#onError = onError
  }

  at(dueMs: number, run: () => void): void {
    push(this.#heap, { dueMs, order: this.#order++, run })
    if (this.#heap[0]?.run === run) this.#arm()
  }

  /**
   * Moves the clock to `targetMs`, stopping at each due time on the way so that effects carry their own time. `settled`
   * resolves when what just started has ended: a webhook that fails on the way is tried again on the way.
   */
  async advanceTo(targetMs: number, settled: () => Promise<void>): Promise<void> {
    await settled()
    for (let next = this.#heap[0]; next && next.dueMs <= targetMs; next = this.#heap[0]) {
      this.#clock.moveTo(next.dueMs)
      this.runDue()
      await settled()
    }
    this.#clock.moveTo(targetMs)
    this.#arm()
  }

  runDue(): void {
    const now = this.#clock.nowMs()
    for (let next = this.#heap[0]; next && next.dueMs <= now; next = this.#heap[0]) {
      pop(this.#heap)
      try {
        next.run()
      } catch (error) {
        this.#onError(error)
      }
    }
    this.#arm()
  }

  /** To be called after the clock's speed changed. */
  rearm(): void {
    this.#arm()
  }

  clear(): void {
    this.#heap = []
    this.#arm()
  }

  stop(): void {
    this.#stopped = true
    clearTimeout(this.#timer)
  }

  #arm(): void {
    clearTimeout(this.#timer)
    const next = this.#heap[0]
    if (!next || this.#stopped) return
    const delay = this.#clock.realDelayMs(next.dueMs)
    if (delay === Infinity) return
    this.#timer = setTimeout(() => this.runDue(), Math.min(Math.ceil(delay), MAX_TIMER_MS))
  }
}

function before(a: Entry, b: Entry): boolean {
  return a.dueMs === b.dueMs ? a.order < b.order : a.dueMs < b.dueMs
}

function push(heap: Entry[], entry: Entry): void {
  let child = heap.push(entry) - 1
  while (child > 0) {
    const parent = (child - 1) >> 1
    const above = heap[parent]
    if (!above || !before(entry, above)) break
    heap[child] = above
    child = parent
  }
  heap[child] = entry
}

function pop(heap: Entry[]): void {
  const last = heap.pop()
  if (!last || heap.length === 0) return
  let parent = 0
  for (;;) {
    let child = parent * 2 + 1
    const left = heap[child]
    const right = heap[child + 1]
    if (!left) break
    if (right && before(right, left)) child++
    const smaller = heap[child]
    if (!smaller || !before(smaller, last)) break
    heap[parent] = smaller
    parent = child
  }
  heap[parent] = last
}
