import type { Log } from './log.ts'

/** A worker that runs while there is work, sleeps until the next is due, and can be woken. */
export type Loop = {
  readonly wake: () => void
  /** Finishes the round under way and starts no other. */
  readonly stop: () => Promise<void>
}

// A wake-up may be lost with the connection that carries it; looking once in a while costs one indexed query.
const IDLE_MS_MAX = 5000
const AFTER_ERROR_MS = 1000

/**
 * Runs `round` again and again: it does what is due and returns in how many milliseconds the next is due, 0 for at
 * once, null for nothing in sight. A round that throws is tried again a second later; the log hears of it when it
 * begins, when its cause changes and when it is over.
 */
export function startLoop(name: string, round: () => Promise<number | null>, log: Log): Loop {
  let stopped = false
  let woken = false
  let wakeUp: (() => void) | null = null

  const wake = (): void => {
    woken = true
    wakeUp?.()
  }
  const sleep = (ms: number): Promise<void> =>
    new Promise((resolve) => {
      const timer = setTimeout(resolve, ms)
      wakeUp = () => {
        clearTimeout(timer)
        resolve()
      }
    })

  let failing: { because: string; rounds: number } | null = null
  const failed = (error: unknown): void => {
    const because = error instanceof Error ? error.message : String(error)
    if (failing?.because !== because) log.warn({ err: error, loop: name }, 'loop.round_failed')
    failing = { because, rounds: (failing?.rounds ?? 0) + 1 }
  }
  const succeeded = (): void => {
    if (failing !== null) log.info({ loop: name, rounds: failing.rounds }, 'loop.works_again')
    failing = null
  }

  const run = async (): Promise<void> => {
    while (!stopped) {
      woken = false
      let dueInMs: number | null
      try {
        dueInMs = await round()
        succeeded()
      } catch (error) {
        failed(error)
        dueInMs = AFTER_ERROR_MS
      }
      if (stopped || woken || dueInMs === 0) continue
      await sleep(Math.min(Math.max(dueInMs ?? IDLE_MS_MAX, 1), IDLE_MS_MAX))
    }
  }
  const running = run()
  return {
    wake,
    stop: async () => {
      stopped = true
      wakeUp?.()
      await running
    },
  }
}
