// The table a person reads and the JSON a machine compares.
import { mkdirSync, writeFileSync } from 'node:fs'
import { cpus, totalmem } from 'node:os'
import { dirname } from 'node:path'
import type { Figure, Figures, Judged } from './goals.ts'
import { median } from './measure.ts'
import type { WebhookRun } from './rows/measure-webhooks.ts'

/** One row of a table: its name, and its cells by column. */
export type Row = {
  readonly name: string
  readonly cells: Readonly<Record<string, string>>
  /** What the gateway is compared with: its faults are its own. */
  readonly isBaseline?: boolean
}

export type Section = {
  readonly title: string
  readonly note: string
  readonly rows: readonly Row[]
  /** What this section says of the goals. */
  readonly figures?: Figures
  /** How long it took to measure. */
  readonly seconds?: number
  /** Everything measured, for the JSON. */
  readonly raw: unknown
}

const VOID = 'VOID'
const ROUNDS_MIN = 5

export function printSection({ title, note, rows }: Pick<Section, 'title' | 'note' | 'rows'>): void {
  const columns = [...new Set(rows.flatMap(({ cells }) => Object.keys(cells)))]
  const table = [
    ['', ...columns],
    ...rows.map(({ name, cells }) => [name, ...columns.map((it) => cells[it] ?? '')]),
  ]
  const widths = columns.map((_, index) => Math.max(...table.map((line) => line[index + 1]?.length ?? 0)))
  const nameWidth = Math.max(...table.map(([name = '']) => name.length))
  const lines = table.map(
    ([name = '', ...cells]) =>
      `  ${name.padEnd(nameWidth)}  ${cells.map((cell, index) => cell.padStart(widths[index] ?? 0)).join('  ')}`,
  )
  process.stdout.write(`\n${title}\n${note === '' ? '' : `${note}\n`}${lines.join('\n')}\n`)
}

export function writeJson(path: string, sections: readonly Section[], goals: readonly Judged[]): void {
  mkdirSync(dirname(path), { recursive: true })
  const machine = {
    at: new Date().toISOString(),
    node: process.version,
    cpus: cpus().length,
    model: cpus()[0]?.model,
    memoryGb: Math.round(totalmem() / 1e9),
  }
  const data = {
    machine,
    goals,
    sections: sections.map(({ title, note, seconds, raw }) => ({ title, note, seconds, raw })),
  }
  writeFileSync(path, `${JSON.stringify(data, null, 1)}\n`)
  process.stdout.write(`\nraw figures: ${path}\n`)
}

/** Whole numbers where they are large, one decimal where they are small. */
export function show(value: number, unit = ''): string {
  if (!Number.isFinite(value)) return '–'
  const text = Math.abs(value) >= 100 ? Math.round(value).toLocaleString('en-US') : value.toFixed(1)
  return `${text}${unit}`
}

/** Of ratios the second decimal tells more than noise: they are measured side by side. */
export function showRatio(value: number): string {
  return Number.isFinite(value) ? value.toFixed(2) : '–'
}

export function voidOf(problems: readonly string[]): string {
  return problems.length === 0 ? 'all right' : `${VOID}: ${problems[0]}`
}

/** How many rows of ours say that something in them was not right. */
export function voidRows(sections: readonly Section[]): number {
  return sections
    .flatMap(({ rows }) => rows)
    .filter(({ isBaseline = false }) => !isBaseline)
    .filter(({ cells }) => Object.values(cells).some((cell) => cell.startsWith(VOID))).length
}

/** A median over the rounds as a figure for a goal; a ratio needs five of them. */
export function figureOf(
  runs: readonly WebhookRun[] | undefined,
  value: (runs: readonly WebhookRun[]) => number,
): Figure {
  if (!runs || runs.length === 0) return { value: Number.NaN }
  const isVoid = runs.some(({ problems }) => problems.length > 0)
  const tooSmall = runs.length < ROUNDS_MIN ? { tooSmall: `${runs.length} rounds` } : {}
  return { value: value(runs), isVoid, ...tooSmall }
}

/** What every webhook row tells: medians over its rounds, and whether every payment was right in all of them. */
export function webhookCells(runs: readonly WebhookRun[]): Record<string, string> {
  const of = (read: (run: WebhookRun) => number): number => median(runs.map(read))
  const problems = [...new Set(runs.flatMap((run) => run.problems))]
  const cpu = (['system', 'postgres', 'load'] as const).map((part) =>
    show(of((run) => run.cpuPerEvent[part])),
  )
  return {
    'events/s': show(of((run) => run.eventsPerSecond)),
    'p50 ms': show(of(({ latency }) => latency.p50)),
    p95: show(of(({ latency }) => latency.p95)),
    p99: show(of(({ latency }) => latency.p99)),
    max: show(of(({ latency }) => latency.max)),
    'told p50 ms': runs.some(({ told }) => told !== null)
      ? show(of(({ told }) => told?.p50 ?? Number.NaN))
      : '',
    'told p99': runs.some(({ told }) => told !== null) ? show(of(({ told }) => told?.p99 ?? Number.NaN)) : '',
    'CPU µs/event (service PostgreSQL load)': cpu.join('  '),
    'memory MB': show(of((run) => run.memoryMb)),
    payments: voidOf(problems),
  }
}
