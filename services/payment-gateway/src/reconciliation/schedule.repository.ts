import { SCHEDULE_NAMES } from '@passerelle/contracts/reconciliation'
import type { ScheduleName } from '@passerelle/contracts/reconciliation'
import type { Pool, Queryable, Tx } from '@passerelle/kit/database'

/** Of this class, one advisory lock per schedule; beside the one of the outbox's workers. */
const LOCK_CLASS = 4_304_301

// As for a worker's session: what a frozen process holds is free after this.
const SILENCE_MS_MAX = 10_000
const HEARTBEAT_MS = 2500

/** A schedule held by this process: nobody else runs it until `release`, or until this session ends. */
export type Held = {
  /** False once the session, and with it the hold, is lost. */
  readonly isHeld: () => boolean
  readonly release: () => Promise<void>
}

/** Takes a schedule for one run; null while another process, or another run of this one, has it. */
export async function holdSchedule(pool: Pool, name: ScheduleName): Promise<Held | null> {
  const session = await pool.connect()
  const lock = [LOCK_CLASS, SCHEDULE_NAMES.indexOf(name)]
  try {
    const { rows } = await session.query<{ held: boolean }>(
      'select pg_try_advisory_lock($1, $2) as held',
      lock,
    )
    if (rows[0]?.held === true) {
      await session.query(`set idle_session_timeout = ${SILENCE_MS_MAX}`)
      return keepHeld(session, lock)
    }
  } catch (error) {
    session.release(error as Error)
    throw error
  }
  session.release()
  return null
}

function keepHeld(session: Tx, lock: readonly number[]): Held {
  let lost = false
  const onLost = (): void => {
    lost = true
  }
  session.on('error', onLost)
  session.on('end', onLost)
  const heartbeat = setInterval(() => void session.query('select').catch(() => {}), HEARTBEAT_MS)
  const end = (broken?: Error): void => {
    session.off('error', onLost)
    session.off('end', onLost)
    session.release(broken)
  }
  return {
    isHeld: () => !lost,
    // Closed rather than given back when the lock cannot be freed: the session would keep it.
    release: async () => {
      clearInterval(heartbeat)
      try {
        await session.query('reset idle_session_timeout')
        await session.query('select pg_advisory_unlock($1, $2)', [...lock])
        end()
      } catch (error) {
        end(error as Error)
      }
    },
  }
}

/** Milliseconds until the schedule is due; 0 or less when it is. */
export async function dueInMs(db: Queryable, name: ScheduleName): Promise<number> {
  const { rows } = await db.query<{ ms: number }>({
    name: 'schedule_due',
    text: 'select (extract(epoch from next_run_at - now()) * 1000)::float8 as ms from schedules where name = $1',
    values: [name],
  })
  return rows[0]?.ms ?? Infinity
}

export async function findCursor(db: Queryable, name: ScheduleName): Promise<unknown> {
  const { rows } = await db.query<{ cursor: unknown }>('select cursor from schedules where name = $1', [name])
  return rows[0]?.cursor ?? {}
}

export async function saveCursor(tx: Queryable, name: ScheduleName, cursor: object): Promise<void> {
  await tx.query('update schedules set cursor = $2 where name = $1', [name, JSON.stringify(cursor)])
}

export async function insertRun(db: Queryable, name: ScheduleName, startedBy: string): Promise<number> {
  const { rows } = await db.query<{ id: number }>(
    'insert into schedule_runs (schedule, started_by) values ($1, $2) returning id',
    [name, startedBy],
  )
  return rows[0]?.id ?? 0
}

/** What a run did: how much it looked at, how many differences it found, whether more is to be done. */
export type Found = {
  readonly checked: number
  readonly found: number
  readonly more: boolean
  readonly error: string | null
}

const RUNS_KEPT_DAYS = 7

/** Ends a run, says when the next is due, and forgets old runs. */
export async function finishRun(
  tx: Tx,
  run: { readonly id: number; readonly name: ScheduleName },
  found: Found,
  nextInMs: number,
): Promise<void> {
  await tx.query(
    `update schedule_runs set finished_at = clock_timestamp(), checked = $2, found = $3, more = $4, error = $5
     where id = $1`,
    [run.id, found.checked, found.found, found.more, found.error?.slice(0, 500) ?? null],
  )
  await tx.query("update schedules set next_run_at = now() + $2 * interval '1 millisecond' where name = $1", [
    run.name,
    nextInMs,
  ])
  await tx.query(
    "delete from schedule_runs where schedule = $1 and started_at < now() - $2 * interval '1 day'",
    [run.name, RUNS_KEPT_DAYS],
  )
}

export type ScheduleRow = { readonly name: ScheduleName; readonly nextRunAt: Date; readonly held: boolean }

export async function listSchedules(db: Queryable): Promise<ScheduleRow[]> {
  const { rows } = await db.query<ScheduleRow>(
    `select s.name, s.next_run_at as "nextRunAt", exists (
       select from pg_locks l
       where l.locktype = 'advisory' and l.classid = $1 and l.objid = array_position($2::text[], s.name) - 1
         and l.granted and l.database = (select oid from pg_database where datname = current_database())) as held
     from schedules s order by array_position($2::text[], s.name)`,
    [LOCK_CLASS, SCHEDULE_NAMES],
  )
  return rows
}

export type RunRow = {
  readonly id: number
  readonly schedule: ScheduleName
  readonly startedBy: string
  readonly startedAt: Date
  readonly finishedAt: Date | null
  readonly checked: number | null
  readonly found: number | null
  readonly more: boolean | null
  readonly error: string | null
}

const RUN_COLUMNS = `id, schedule, started_by as "startedBy", started_at as "startedAt",
  finished_at as "finishedAt", checked, found, more, error`

/** The newest runs of every schedule. */
export async function listRuns(db: Queryable, perSchedule: number): Promise<RunRow[]> {
  const { rows } = await db.query<RunRow>(
    `select runs.* from schedules s
     cross join lateral (select ${RUN_COLUMNS} from schedule_runs where schedule = s.name
                         order by id desc limit $1) runs
     order by runs.id desc`,
    [perSchedule],
  )
  return rows
}
