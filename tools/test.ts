// `npm test`: types, lint and format, then every test on one throwaway PostgreSQL. With arguments (files, or parts of
// their paths): those tests only. With TEST_DATABASE_URL set, that cluster is used, and a failed file's database stays.
import { globSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { startSentence, stopWithParent } from '@passerelle/kit/service'
import { runChecks } from './check.ts'
import { startThrowawayPostgres } from './postgres.ts'
import { runTestFiles } from './test-files.ts'
import type { Phase } from './test-files.ts'

const ROOT = fileURLToPath(new URL('..', import.meta.url))
const FILE_MS_MAX = 300_000

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
  const passed = await withCluster(() => runTestFiles(phases, { root: ROOT, fileMsMax: FILE_MS_MAX, signal }))
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
