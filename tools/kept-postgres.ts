import { setTimeout as sleep } from 'node:timers/promises'
import { startPostgres } from './postgres.ts'
import type { Postgres } from './postgres.ts'

const RESTART_AFTER_MS = 500

/** A PostgreSQL that is started again whenever it ends. */
export type KeptPostgres = {
  readonly first: Postgres
  /** Ends the server, also one that is just being started again; none is left or comes when it resolves. */
  readonly stop: () => Promise<void>
}

/** Starts the cluster in `directory` and keeps it running; `onProcess` hears the pid of every server. */
export async function keepPostgres(options: {
  readonly directory: string
  readonly print: (line: string) => void
  readonly onProcess: (pid: number) => void
}): Promise<KeptPostgres> {
  const { directory, print, onProcess } = options
  const first = await startPostgres({ directory })
  onProcess(first.pid)
  const stopping = new AbortController()
  let current = first
  const keepRunning = async (): Promise<void> => {
    for (;;) {
      await current.ended
      if (stopping.signal.aborted) return
      print('has stopped and is started again')
      await sleep(RESTART_AFTER_MS, null, { signal: stopping.signal }).catch(() => undefined)
      if (stopping.signal.aborted) return
      // On the same port: the services find it again by the address they have.
      current = await startPostgres({ directory, port: first.port })
      onProcess(current.pid)
      if (stopping.signal.aborted) return
    }
  }
  const kept = keepRunning().catch((error: unknown) => print(`is gone: ${String(error)}`))
  return {
    first,
    stop: async () => {
      stopping.abort()
      await current.stop()
      // One that was on its way up meanwhile is known only now.
      await kept
      await current.stop()
    },
  }
}
