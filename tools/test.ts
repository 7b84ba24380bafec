// `npm test`: types, lint and format, then every test on one throwaway PostgreSQL. With arguments: only those files.
import { spawn } from 'node:child_process'
import { globSync } from 'node:fs'
import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { startSentence, stopWithParent } from '@passerelle/kit/service'
import { runChecks } from './check.ts'
import { startThrowawayPostgres } from './postgres.ts'

const ROOT = dirname(dirname(fileURLToPath(import.meta.url)))
const PLACES = ['packages', 'services', 'frontend', 'tools', 'bench']

function testFiles(places: readonly string[]): string[] {
  return globSync(
    places.map((place) => `${place}/**/*.test.ts`),
    { cwd: ROOT, exclude: (path) => path.includes('node_modules') },
  ).sort()
}

/** Runs node's test runner over the files; the exit code is its own. */
function runTests(files: readonly string[], databaseUrl: string, concurrency: number): Promise<number> {
  if (files.length === 0) return Promise.resolve(0)
  const { promise, resolve } = Promise.withResolvers<number>()
  const args = [
    '--test',
    `--test-concurrency=${concurrency}`,
    '--test-timeout=300000',
    '--test-reporter=spec',
    ...files,
  ]
  const child = spawn(process.execPath, args, {
    cwd: ROOT,
    stdio: ['ignore', 'inherit', 'inherit'],
    env: {
      ...process.env,
      TEST_DATABASE_URL: databaseUrl,
      FORCE_COLOR: process.stdout.isTTY ? '1' : '0',
      PASSERELLE_PARENT_PID: String(process.pid),
    },
  })
  stopWithParent(() => child.kill('SIGTERM'))
  child.on('exit', (code) => resolve(code ?? 1))
  return promise
}

async function main(): Promise<number> {
  const named = process.argv.slice(2)
  if (named.length === 0 && !(await runChecks())) return 1
  process.stderr.write('passerelle: starting PostgreSQL for the tests …\n')
  const postgres = await startThrowawayPostgres()
  try {
    if (named.length > 0) return await runTests(named, postgres.urlOf('postgres'), 1)
    const parts = await runTests(testFiles(PLACES), postgres.urlOf('postgres'), 2)
    // The whole stack and a browser fill both cores: one file at a time.
    const whole = await runTests(testFiles(['e2e']), postgres.urlOf('postgres'), 1)
    return parts || whole
  } finally {
    await postgres.stop()
  }
}

process.on('SIGINT', () => process.exit(130))
process.on('SIGTERM', () => process.exit(143))
main().then(
  (code) => process.exit(code),
  (error: unknown) => {
    process.stderr.write(`passerelle: ${startSentence(error)}\n`)
    process.exit(1)
  },
)
