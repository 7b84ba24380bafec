import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { call, eventually, payAtSandbox, startGatewayWith, startPlatform } from './platform.ts'
import type { Platform } from './platform.ts'

let platform: Platform
before(async () => {
  platform = await startPlatform({
    webhooks: false,
    env: {
      SWEEP_INTERVAL_SECONDS: '1',
      SWEEP_LAG_SECONDS: '0',
      RECONCILE_INTERVAL_SECONDS: '1',
      RECONCILE_AFTER_SECONDS: '1',
    },
  })
})
after(() => platform.stop())

async function runsOf(schedule: string): Promise<{ id: number; from: Date; to: Date }[]> {
  const { rows } = await platform.pool.query<{ id: number; from: Date; to: Date }>(
    `select id, started_at as from, finished_at as to from schedule_runs
     where schedule = $1 and finished_at is not null order by id`,
    [schedule],
  )
  return rows
}

describe('the schedules', () => {
  it('confirm by themselves a payment whose every webhook was lost', async () => {
    const { id: bookingId } = platform.addBooking()
    const { body } = await call(platform, 'POST', '/sessions', { body: { bookingId } })
    await payAtSandbox(platform, body.data['sessionId'] ?? '')
    await eventually('the confirmation', () => platform.booking.toldOf(bookingId).length > 0)
    assert.deepEqual(
      platform.booking.toldOf(bookingId).map(({ status }) => status),
      ['confirmed'],
    )
  })

  it('run once, however many processes there are, and go on when the one that ran is gone', async () => {
    const others = [
      await startGatewayWith({ ...platform.env, PORT: '0' }),
      await startGatewayWith({ ...platform.env, PORT: '0' }),
    ]
    try {
      const before = (await runsOf('sweep')).length
      await eventually('three more runs', async () => (await runsOf('sweep')).length >= before + 3)
      for (const schedule of ['sweep', 'reconcile']) {
        const runs = await runsOf(schedule)
        for (const [index, run] of runs.slice(1).entries()) {
          const previous = runs[index]
          assert.ok(previous && run.from >= previous.to, `${schedule}: run ${run.id} began while another ran`)
        }
      }
      await others.pop()?.stop()
      // As when the process that runs it dies: its session, and with it the hold, is gone.
      await platform.pool.query(
        `select pg_terminate_backend(l.pid) from pg_locks l
         where l.locktype = 'advisory' and l.classid = 4304301 and l.pid <> pg_backend_pid()`,
      )
      const then = (await runsOf('sweep')).length
      await eventually('another run', async () => (await runsOf('sweep')).length > then)
    } finally {
      for (const other of others) await other.stop()
    }
  })
})
