// `npm test`: types, lint and format, then every test on one throwaway PostgreSQL. With arguments (files, or parts of
// their paths): those tests only. With TEST_DATABASE_URL set, that cluster is used, and a failed file's database stays.
import { globSync } from 'node:fs'
import { Readable } from 'node:stream'
import { finished } from 'node:stream/promises'
import { run } from 'node:test'
import type { TestEvent } from 'node:test/reporters'
import { spec as SpecReporter } from 'node:test/reporters'
import { fileURLToPath } from 'node:url'
import { startSentence, stopWithParent } from '@passerelle/kit/service'
import { runChecks } from './check.ts'
import { startThrowawayPostgres } from './postgres.ts'

type Phase = { readonly name: string; readonly files: readonly string[]; readonly concurrency: number }
type Totals = { readonly counts: Map<string, number>; success: boolean }

const ROOT = fileURLToPath(new URL('..', import.meta.url))
const FILE_TIMEOUT_MS = 300_000
const WATCH_PARENT = fileURLToPath(new URL('stop-with-parent.ts', import.meta.url))

/** Rules first, because they are fast; the browser last and alone, because the whole stack fills two cores. */
function phasesOf(filters: readonly string[]): readonly Phase[] {
  const files = globSync('{packages,services,frontend,tools,bench,chaos,e2e}/**/*.test.ts', {
    cwd: ROOT,
    exclude: (path) => path.includes('node_modules'),
  }).sort()
  const wanted =
    filters.length === 0 ? files : files.filter((file) => filters.some((filter) => file.includes(filter)))
  const isWholeStack = (file: string): boolean => /^(?:e2e|chaos)\//.test(file)
  const isFlow = (file: string): boolean => file.includes('/test/')
  return [
    { name: 'rules', files: wanted.filter((file) => !isWholeStack(file) && !isFlow(file)), concurrency: 2 },
    { name: 'flows', files: wanted.filter((file) => !isWholeStack(file) && isFlow(file)), concurrency: 2 },
    { name: 'whole stack', files: wanted.filter(isWholeStack), concurrency: 1 },
  ].filter(({ files }) => files.length > 0)
}

/** The events of all phases as those of one run: one list of failures and one sum at the end. */
async function* runPhases(
  phases: readonly Phase[],
  totals: Totals,
  signal: AbortSignal,
): AsyncGenerator<TestEvent> {
  for (const phase of phases) {
    if (signal.aborted) return
    process.stdout.write(`passerelle: ${phase.name}, ${phase.files.length} test files\n`)
    const events: AsyncIterable<TestEvent> = run({
      files: [...phase.files],
      concurrency: phase.concurrency,
      timeout: FILE_TIMEOUT_MS,
      cwd: ROOT,
      signal,
      execArgv: ['--import', WATCH_PARENT],
    })
    for await (const event of events) if (!isSum(event, totals)) yield event
  }
  for (const [name, count] of totals.counts)
    yield { type: 'test:diagnostic', data: { message: `${name} ${count}`, nesting: 0, level: 'info' } }
}

/** Whether the event sums up a phase; then it is added to the totals. */
function isSum(event: TestEvent, totals: Totals): boolean {
  if (event.type === 'test:summary') {
    if (!event.data.success) totals.success = false
    return true
  }
  if (event.type !== 'test:diagnostic' || event.data.nesting !== 0 || event.data.file !== undefined)
    return false
  const [, name, count] = /^([a-z_]+) ([\d.]+)$/.exec(event.data.message) ?? []
  if (name === undefined) return false
  totals.counts.set(name, (totals.counts.get(name) ?? 0) + Number(count))
  return true
}

async function runTests(phases: readonly Phase[], signal: AbortSignal): Promise<boolean> {
  const totals: Totals = { counts: new Map(), success: true }
  const report = Readable.from(runPhases(phases, totals, signal)).pipe(new SpecReporter())
  report.pipe(process.stdout, { end: false })
  await finished(report)
  return totals.success && (totals.counts.get('fail') ?? 0) === 0
}

async function withCluster(work: () => Promise<boolean>): Promise<boolean> {
  if (process.env['TEST_DATABASE_URL']) return await work()
  process.stdout.write('passerelle: starting PostgreSQL for the tests …\n')
  const postgres = await startThrowawayPostgres()
  process.env['TEST_DATABASE_URL'] = postgres.urlOf('postgres')
  try {
    return await work()
  } finally {
    await postgres.stop()
  }
}

async function main(filters: readonly string[], signal: AbortSignal): Promise<boolean> {
  const phases = phasesOf(filters.map((filter) => filter.replace(/^\.\//, '').replace(ROOT, '')))
  if (phases.length === 0) throw new Error(`no test file's path contains ${filters.join(' or ')}`)
  const failedChecks = filters.length === 0 ? await runChecks() : []
  const passed = await withCluster(() => runTests(phases, signal))
  if (failedChecks.length > 0)
    process.stdout.write(`passerelle: NOT OK: ${failedChecks.join(', ')} (see above)\n`)
  return passed && failedChecks.length === 0
}

const stopping = new AbortController()
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => stopping.abort())
stopWithParent(() => stopping.abort())
// Every test file ends when this process is gone.
process.env['PASSERELLE_PARENT_PID'] = String(process.pid)
try {
  const passed = await main(process.argv.slice(2), stopping.signal)
  process.exit(stopping.signal.aborted ? 130 : passed ? 0 : 1)
} catch (error) {
  process.stderr.write(`passerelle: ${startSentence(error)}\n`)
  process.exit(1)
}
