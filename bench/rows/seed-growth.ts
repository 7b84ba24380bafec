// The databases with few and with many finished payments, made once in a folder that is kept, gone on with when cut off.
import { setTimeout } from 'node:timers/promises'
import { Client, Pool } from 'pg'
import type { Bench } from '../bench.ts'
import { cloneLives } from '../lives/clone-lives.ts'
import { show } from '../report.ts'
import { draftOfGrown, grownDatabase } from './growth-room.ts'
import { measureWebhooks } from './measure-webhooks.ts'
import { startGateway } from './start-gateway.ts'

const ORIGINALS = 20
const ORIGINALS_DATABASE = 'gateway_originals'
const FEE_MS_MAX = 30_000

/** Makes the databases with that many finished payments each that are not there. */
export async function seedGrowth(bench: Bench, sizes: readonly number[]): Promise<void> {
  const client = new Client({ connectionString: bench.postgres.urlOf('postgres') })
  await client.connect()
  try {
    const { rows } = await client.query<{ name: string }>('select datname as name from pg_database')
    const there = new Set(rows.map(({ name }) => name))
    const missing = sizes.filter((payments) => !there.has(grownDatabase(payments)))
    const drafts = missing.map(draftOfGrown).filter((draft) => !there.has(draft))
    if (drafts.length > 0) await createDrafts(bench, client, drafts)
    for (const payments of missing) {
      process.stderr.write(`bench: seeding ${show(payments)} payments …\n`)
      const startedMs = performance.now()
      const draft = draftOfGrown(payments)
      await copyOriginal(bench.postgres.urlOf(draft), payments)
      await client.query(`alter database ${draft} rename to ${grownDatabase(payments)}`)
      process.stderr.write(`bench: seeded in ${show((performance.now() - startedMs) / 1000)} s\n`)
    }
  } finally {
    await client.end()
  }
}

/** Databases with the payments to copy, which are made anew: what an earlier run left may be of an older schema. */
async function createDrafts(bench: Bench, client: Client, drafts: readonly string[]): Promise<void> {
  await client.query(`drop database if exists ${ORIGINALS_DATABASE}`)
  await finishOriginals(bench)
  for (const draft of drafts) await client.query(`create database ${draft} template ${ORIGINALS_DATABASE}`)
}

/** Payments that go through the gateway, to their last row: the fee, which is asked for afterwards. */
async function finishOriginals(bench: Bench): Promise<void> {
  const gateway = await startGateway(bench, ORIGINALS_DATABASE)
  try {
    const load = { payments: ORIGINALS, connections: 8, model: { kind: 'closed' } } as const
    const { problems } = await measureWebhooks(bench, gateway, load)
    if (problems.length > 0) throw new Error(`the payment to copy is not right: ${problems[0]}`)
    for (const end = Date.now() + FEE_MS_MAX; ; await setTimeout(100)) {
      const { rowCount } = await gateway.pool.query('select from fees_due limit 1')
      if (rowCount === 0) return
      if (Date.now() > end) throw new Error('the fees of the payments to copy were never read')
    }
  } finally {
    await gateway.stop()
  }
}

async function copyOriginal(databaseUrl: string, payments: number): Promise<void> {
  const pool = new Pool({ connectionString: databaseUrl, options: '-c search_path=payment_gateway' })
  try {
    const { rows } = await pool.query<{ id: string }>(
      "select min(id) as id from payments where id >= 'pay_b'",
    )
    const original = rows[0]?.id ?? ''
    await cloneLives(pool, original, payments)
    await checkClones(pool, original, payments + ORIGINALS)
  } finally {
    await pool.end()
  }
}

/** Copies have as many rows as the original in every table, and nothing the gateway would still have to do. */
async function checkClones(pool: Pool, original: string, all: number): Promise<void> {
  const { rows } = await pool.query<Record<string, string>>(
    `select (select count(*) from payments where status = 'succeeded') as payments,
       (select count(*) from stripe_events) as events,
       (select count(*) from ledger_entries) as entries,
       (select count(*) from delivery_attempts) as attempts,
       (select coalesce(sum(amount_minor), 0) from ledger_entries) as balance,
       (select count(*) from stripe_events where status = 'received')
         + (select count(*) from deliveries where status <> 'delivered') as owed,
       (select count(*) from ledger_entries where payment_id = $1) as "entriesOfOne"`,
    [original],
  )
  const is = (name: string): number => Number(rows[0]?.[name])
  const isRight =
    is('payments') === all &&
    is('events') === all * 5 &&
    is('entries') === all * is('entriesOfOne') &&
    is('attempts') === all &&
    is('balance') === 0 &&
    is('owed') === 0
  if (!isRight) throw new Error(`the copies are not what the gateway makes: ${JSON.stringify(rows[0])}`)
}
