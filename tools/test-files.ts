// Runs test files, each a process of its own, and reports them as one run. A file whose process outlives the limit,
// whether its tests have passed or not, is ended together with every process under it, and fails the run.
import { Readable } from 'node:stream'
import { finished } from 'node:stream/promises'
import { run } from 'node:test'
import type { TestEvent } from 'node:test/reporters'
import { spec as SpecReporter } from 'node:test/reporters'
import { fileURLToPath } from 'node:url'
import { identify, processesUnder, sendSignal } from './processes.ts'

export type Phase = { readonly name: string; readonly files: readonly string[]; readonly concurrency: number }
export type RunOptions = {
  /** What the files' paths are relative to. */
  readonly root: string
  readonly fileMsMax: number
  readonly signal: AbortSignal
}
type Totals = { readonly counts: Map<string, number>; success: boolean }

const WATCH_PARENT = fileURLToPath(new URL('stop-with-parent.ts', import.meta.url))
const LOOK_MS = 1000
// The runner's own limit ends the file alone, and only if it listens; it is there for when ours fails.
const RUNNER_GRACE_MS = 30_000

/** Whether everything passed. */
export async function runTestFiles(phases: readonly Phase[], options: RunOptions): Promise<boolean> {
  const totals: Totals = { counts: new Map(), success: true }
  const late = endLateFiles(options.fileMsMax)
  try {
    const report = Readable.from(runPhases(phases, totals, options)).pipe(new SpecReporter())
    report.pipe(process.stdout, { end: false })
    await finished(report)
  } finally {
    late.stop()
  }
  for (const sentence of late.ended()) process.stdout.write(`passerelle: NOT OK: ${sentence}\n`)
  return totals.success && late.ended().length === 0 && (totals.counts.get('fail') ?? 0) === 0
}

/** The events of all phases as those of one run: one list of failures and one sum at the end. */
async function* runPhases(
  phases: readonly Phase[],
  totals: Totals,
  { root, fileMsMax, signal }: RunOptions,
): AsyncGenerator<TestEvent> {
  for (const phase of phases) {
    if (signal.aborted) return
    process.stdout.write(`passerelle: ${phase.name}, ${phase.files.length} test files\n`)
    const events: AsyncIterable<TestEvent> = run({
      files: [...phase.files],
      concurrency: phase.concurrency,
      timeout: fileMsMax + RUNNER_GRACE_MS,
      cwd: root,
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

type Watch = { readonly stop: () => void; readonly ended: () => readonly string[] }

/** Looks at the processes of the test files from outside: one that is busy or stuck cannot be asked to end itself. */
function endLateFiles(limitMs: number): Watch {
  const firstSeenMs = new Map<string, number>()
  const ended: string[] = []
  const timer = setInterval(() => {
    for (const { pid, parent, command } of processesUnder(process.pid)) {
      if (parent !== process.pid || !command.includes(WATCH_PARENT)) continue
      const name = `${pid} ${identify(pid)?.startedAt}`
      const sinceMs = performance.now() - (firstSeenMs.get(name) ?? performance.now())
      if (!firstSeenMs.has(name)) firstSeenMs.set(name, performance.now())
      if (sinceMs < limitMs) continue
      const under = processesUnder(pid)
      // The parents first: nobody starts again what is ended here.
      for (const one of [{ pid }, ...under]) sendSignal(one.pid, 'SIGKILL')
      const file = command.split(' ').findLast((word) => word.endsWith('.test.ts')) ?? command
      const others = under.map((one) => one.command).join('; ')
      ended.push(
        `${file} was not over after ${limitMs / 1000} s and was ended${others === '' ? '' : `, with ${others}`}`,
      )
    }
  }, LOOK_MS)
  return { stop: () => clearInterval(timer), ended: () => ended }
}
