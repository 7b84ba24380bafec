import type { Log } from '@passerelle/kit/log'
import { Client } from 'pg'
import { WORKER_LOCK_CLASS } from './delivery.repository.ts'

/**
 * One PostgreSQL session of this process's own. It listens for the wake-ups of other processes, and it *is* the
 * process's liveness: the number it holds by advisory lock marks this process's claims, and when the session ends,
 * however it ends, PostgreSQL frees the lock and others may take the claims over. It ends too when the process falls
 * silent: a heartbeat keeps it.
 */
export type WorkerSession = {
  /** The number to claim with, or null while there is no session: then nothing may be claimed. */
  readonly number: () => number | null
  /** Gives the number up, and with it whatever was claimed under it, and takes another. */
  readonly renew: () => void
  readonly stop: () => Promise<void>
}

export type WorkerSessionOptions = {
  readonly url: string
  readonly schema: string
  readonly log: Log
  /** What to wake, by channel; everything is woken after a reconnect, for a notification may have been missed. */
  readonly wake: Readonly<Record<string, (payload: string) => void>>
}

const RECONNECT_MS = 500
const CONNECT_TIMEOUT_MS = 3000
// A process that is frozen, or whose host is gone without a word, keeps its connection: PostgreSQL ends the session when
// nothing was heard for so long. Shorter, a starved process would lose its claims while it works; longer, the bookings
// of a frozen one wait.
const SILENCE_MS_MAX = 10_000
const HEARTBEAT_MS = 2500

export async function startWorkerSession(options: WorkerSessionOptions): Promise<WorkerSession> {
  let session: { client: Client; number: number } | null = null
  let stopped = false
  let reconnect: NodeJS.Timeout | undefined

  const connect = async (): Promise<void> => {
    const client = new Client({
      connectionString: options.url,
      connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
      application_name: 'payment-gateway worker',
      keepAlive: true,
      options: `-c search_path=${options.schema} -c timezone=UTC -c idle_session_timeout=${SILENCE_MS_MAX}`,
    })
    let isLost = false
    const lost = (error?: Error): void => {
      if (isLost) return
      isLost = true
      if (session?.client === client) session = null
      if (stopped) return
      options.log.warn({ err: error }, 'worker_session.lost')
      reconnect = setTimeout(() => void connect().catch(() => {}), RECONNECT_MS)
    }
    client.on('error', lost)
    client.on('end', () => lost())
    client.on('notification', ({ channel, payload }) => options.wake[channel]?.(payload ?? ''))
    try {
      await client.connect()
      const number = await takeNumber(client, Object.keys(options.wake))
      if (stopped) return await client.end()
      session = { client, number }
      for (const wake of Object.values(options.wake)) wake('')
    } catch (error) {
      await client.end().catch(() => {})
      lost(error as Error)
      throw error
    }
  }

  await connect()
  // One that fails is no news: the session's own end is.
  const heartbeat = setInterval(() => void session?.client.query('select').catch(() => {}), HEARTBEAT_MS)
  return {
    number: () => session?.number ?? null,
    renew: () => {
      const given = session
      session = null
      // Its end is heard like a loss.
      void given?.client.end().catch(() => {})
    },
    stop: async () => {
      stopped = true
      clearInterval(heartbeat)
      clearTimeout(reconnect)
      await session?.client.end()
    },
  }
}

async function takeNumber(client: Client, channels: readonly string[]): Promise<number> {
  const { rows } = await client.query<{ number: number }>("select nextval('worker_numbers')::int as number")
  const number = rows[0]?.number ?? 0
  await client.query('select pg_advisory_lock($1, $2)', [WORKER_LOCK_CLASS, number])
  for (const channel of channels) await client.query(`listen ${channel}`)
  return number
}
