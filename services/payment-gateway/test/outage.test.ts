// PostgreSQL goes away under the gateway: restarted, and without room on its disk.
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { ensureDatabase, startPostgres } from '../../../tools/postgres.ts'
import type { Postgres } from '../../../tools/postgres.ts'
import { call, collectingLog, deliver, eventJson, eventually, startPlatform } from './platform.ts'
import type { Platform } from './platform.ts'

type Line = { readonly level: string; readonly msg: string; readonly because?: string }

/** Sends events one after the other until `isOver`; how each was answered, by its id. */
async function sendUntil(
  platform: Platform,
  answers: Map<string, number>,
  isOver: () => boolean,
): Promise<void> {
  const send = async (lane: number): Promise<void> => {
    for (let index = 0; !isOver(); index += 1) {
      const id = `evt_${lane}_${index}`
      const payload = eventJson('customer.created', { id: 'cus_1', object: 'customer' }, { id })
      answers.set(id, (await deliver(platform, payload)).status)
    }
  }
  await Promise.all([0, 1, 2, 3].map(send))
}

describe('PostgreSQL is restarted', () => {
  it('is one warning that names the cause and one line when it is back, however many events are refused', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'passerelle-outage-'))
    let postgres: Postgres = await startPostgres({ directory, throwaway: true })
    const { port } = postgres
    const { log, text } = collectingLog()
    const url = await ensureDatabase(postgres, 'outage')
    const platform = await startPlatform({ webhooks: false, env: { DATABASE_URL: url }, log })
    try {
      let over = false
      const answers = new Map<string, number>()
      const refusals = (): number => [...answers.values()].filter((status) => status === 500).length
      const sending = sendUntil(platform, answers, () => over)
      await postgres.stop()
      await eventually('more refusals than lanes', () => refusals() > 4)
      postgres = await startPostgres({ directory, port, throwaway: true })
      await eventually('that it is back', () => text().includes('inbox.database_back'))
      over = true
      await sending
      assert.deepEqual(new Set(answers.values()), new Set([200, 500]))

      const lines = text()
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line) as Line)
      const away = lines.filter(({ msg }) => msg === 'inbox.database_away')
      assert.deepEqual(
        away.map(({ level }) => level),
        ['warn'],
      )
      assert.match(away[0]?.because ?? '', /57P0|ECONN|connection/i)
      assert.deepEqual(
        lines.filter(({ level }) => level === 'error').map(({ msg }) => msg),
        [],
      )
      assert.ok(lines.filter(({ msg }) => msg === 'loop.round_failed').length <= 30)
    } finally {
      await platform.stop()
      await postgres.stop()
      rmSync(directory, { recursive: true, force: true })
    }
  })

  it('is 503 for whoever asks meanwhile, with when to ask again and without the cause', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'passerelle-outage-'))
    let postgres: Postgres = await startPostgres({ directory, throwaway: true })
    const { port } = postgres
    const url = await ensureDatabase(postgres, 'outage')
    const platform = await startPlatform({ webhooks: false, env: { DATABASE_URL: url } })
    try {
      const open = () =>
        call(platform, 'POST', '/sessions', { body: { bookingId: platform.addBooking().id } })
      assert.equal((await open()).status, 200)
      await postgres.stop()
      const { status, headers, body } = await open()
      assert.deepEqual([status, body.error.code], [503, 'SERVICE_UNAVAILABLE'])
      assert.equal(headers.get('retry-after'), '1')
      assert.doesNotMatch(body.error.message, /database|connect|127\.0\.0\.1/i)
      postgres = await startPostgres({ directory, port, throwaway: true })
      assert.equal((await open()).status, 200)
    } finally {
      await platform.stop()
      await postgres.stop()
      rmSync(directory, { recursive: true, force: true })
    }
  })
})
