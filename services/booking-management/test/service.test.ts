import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it, mock } from 'node:test'
import { fileURLToPath } from 'node:url'
import { testCertificate } from '@passerelle/kit/test-certificate'
import { createTestDatabase } from '@passerelle/kit/test-database'
import { MIGRATIONS, SCHEMA, startBooking } from '../src/app.ts'
import { bookingConfig } from '../src/config.ts'
import { clientOf, dayFrom, environment, startService, tokenOf } from './running-service.ts'
import type { RunningService } from './running-service.ts'

const MAIN = fileURLToPath(new URL('../src/main.ts', import.meta.url))
const WAIT_MS_MAX = 20_000

let service: RunningService

before(async () => {
  service = await startService()
})
after(() => service.stop())

/** Runs main.ts as a process of its own with this environment only. */
function run(env: Readonly<Record<string, string>>) {
  const child = spawn(process.execPath, [MAIN], { env, stdio: ['ignore', 'pipe', 'pipe'] })
  const output = { text: '' }
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk: Buffer) => {
      output.text += chunk.toString()
    })
  return { child, output, exited: once(child, 'exit').then(([code]) => code as number | null) }
}

async function until(what: string, condition: () => Promise<boolean> | boolean): Promise<void> {
  const deadline = AbortSignal.timeout(WAIT_MS_MAX)
  while (!(await condition())) {
    if (deadline.aborted) assert.fail(`not seen in time: ${what}`)
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
}

describe('health', () => {
  it('tells alive from ready: ready needs the schema this code was written for, or a newer one', async () => {
    assert.equal((await service.call('GET', '/healthz')).status, 200)
    const ready = await service.call('GET', '/readyz')
    assert.deepEqual([ready.status, ready.body.data.schemaVersion], [200, 3])
    await service.pool.query(
      "insert into schema_migrations (version, name, checksum) values (4, '0004_later.sql', '')",
    )
    assert.equal((await service.call('GET', '/readyz')).status, 200, 'a newer version has migrated')
    await service.pool.query('update schema_migrations set version = -version')
    const outdated = await service.call('GET', '/readyz')
    assert.deepEqual([outdated.status, outdated.body.error.code], [503, 'SERVICE_UNAVAILABLE'])
    assert.equal((await service.call('GET', '/healthz')).status, 200)
    await service.pool.query('update schema_migrations set version = -version')
    await service.pool.query('delete from schema_migrations where version = 4')
  })

  it('is not ready when the database is gone, and still alive', async () => {
    const { url } = await createTestDatabase({ migrations: MIGRATIONS, schema: SCHEMA })
    const lonely = await startBooking(bookingConfig(environment(url)), service.log)
    try {
      const call = clientOf(lonely.url)
      assert.equal((await call('GET', '/readyz')).status, 200)
      await service.pool.query(`drop database ${new URL(url).pathname.slice(1)} with (force)`)
      assert.equal((await call('GET', '/readyz')).status, 503)
      assert.equal((await call('GET', '/healthz')).status, 200)
      const tours = await call('GET', '/api/v1/tours')
      assert.deepEqual([tours.status, tours.body.error.code], [500, 'INTERNAL_ERROR'])
      assert.ok(!tours.text.includes('database'), 'the cause stays in the log')
    } finally {
      await lonely.stop()
    }
  })
})

describe('a start that fails', () => {
  it('leaves nothing open: no session at the database, no timer of the server', async () => {
    const { url } = await createTestDatabase({ migrations: MIGRATIONS, schema: SCHEMA })
    const directory = mkdtempSync(join(tmpdir(), 'passerelle-booking-'))
    const files = { TLS_CERT_FILE: join(directory, 'cert.pem'), TLS_KEY_FILE: join(directory, 'key.pem') }
    const { cert, key } = testCertificate()
    writeFileSync(files.TLS_CERT_FILE, cert)
    writeFileSync(files.TLS_KEY_FILE, key)
    const set = mock.method(globalThis, 'setInterval')
    const cleared = mock.method(globalThis, 'clearInterval')
    try {
      const taken = { ...environment(url), ...files, PORT: new URL(service.url).port }
      await assert.rejects(startBooking(bookingConfig(taken), service.log), { code: 'EADDRINUSE' })
      const begun = set.mock.calls.map(({ result }) => result)
      const ended = new Set(cleared.mock.calls.map(({ arguments: [timer] }) => timer))
      assert.notEqual(begun.length, 0, 'a renewed certificate is looked for')
      assert.deepEqual(
        begun.filter((timer) => !ended.has(timer)),
        [],
      )
    } finally {
      mock.restoreAll()
      rmSync(directory, { recursive: true })
    }
    const name = new URL(url).pathname.slice(1)
    await until('every session has ended', async () => {
      const { rowCount } = await service.pool.query('select from pg_stat_activity where datname = $1', [name])
      return rowCount === 0
    })
  })
})

describe('holds', () => {
  it('that ran out while no service was running are given up at the next start', async () => {
    const token = await tokenOf('cus_ada')
    const body = { tourId: 'paris-after-dark', date: dayFrom(service.clock.now, 30), seats: 2 }
    const { id } = (await service.call('POST', '/api/v1/bookings', { token, body })).body.data
    const later = new Date(service.clock.now.getTime() + 26 * 60 * 60 * 1000)
    const next = await startBooking(bookingConfig(environment(service.databaseUrl)), service.log, () => later)
    const status = async () =>
      (await clientOf(next.url)('GET', `/api/v1/bookings/${id}`, { token })).body.data.status as string
    try {
      await until('the booking is cancelled', async () => (await status()) === 'cancelled')
    } finally {
      await next.stop()
    }
  })
})

describe('the process', () => {
  it('starts from its environment alone, and ends with 0 when it is told to', async () => {
    const { child, output, exited } = run(environment(service.databaseUrl))
    await until('the service listens', () => output.text.includes('booking_service.started'))
    const url = /"url":"(http:[^"]+)"/.exec(output.text)?.[1] ?? ''
    assert.equal((await clientOf(url)('GET', '/api/v1/tours')).status, 200)
    child.kill('SIGTERM')
    assert.equal(await exited, 0)
    assert.match(output.text, /booking_service\.stopped/)
    assert.ok(!/warning/i.test(output.text), output.text)
  })

  it('says in a sentence what is missing, taken or unreachable, and ends with 1', async () => {
    const env = environment(service.databaseUrl)
    const cases: [Readonly<Record<string, string>>, RegExp][] = [
      [{}, /cannot start:\n {2}.*DATABASE_URL is not set/],
      [{ ...env, PORT: new URL(service.url).port }, /cannot start: port \d+ is taken/],
      [
        { ...env, DATABASE_URL: 'postgres://postgres@127.0.0.1:1/none' },
        /cannot start: nothing answers at 127\.0\.0\.1:1/,
      ],
    ]
    for (const [env, sentence] of cases) {
      const { output, exited } = run(env)
      assert.equal(await exited, 1)
      assert.match(output.text, sentence)
      assert.ok(!output.text.includes('    at '), 'no stack')
    }
  })
})
