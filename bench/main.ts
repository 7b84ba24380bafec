// `npm run bench`: one command, no set-up. Everything that is compared is measured in the same run.
import { startSentence } from '@passerelle/kit/service'
import { startBench } from './bench.ts'
import type { Bench } from './bench.ts'
import { goalRows, judgeAll } from './goals.ts'
import type { Figures } from './goals.ts'
import { readOptions } from './options.ts'
import type { BenchOptions } from './options.ts'
import { printSection, show, voidRows, writeJson } from './report.ts'
import type { Section } from './report.ts'
import { apiRows } from './rows/api-rows.ts'
import { backlogRows } from './rows/backlog-rows.ts'
import { growthRoom, seedingSentence } from './rows/growth-room.ts'
import { growthRows } from './rows/growth-rows.ts'
import { loadRows } from './rows/load-rows.ts'
import { memoryRows } from './rows/memory-rows.ts'
import { streamRows } from './rows/stream-rows.ts'
import { webhookRows } from './rows/webhook-rows.ts'

const ROWS: Readonly<Record<string, (bench: Bench, options: BenchOptions) => Promise<Section>>> = {
  webhooks: webhookRows,
  load: loadRows,
  api: apiRows,
  streams: streamRows,
  backlog: backlogRows,
  growth: growthRows,
  memory: memoryRows,
}

async function main(options: BenchOptions): Promise<void> {
  const startedMs = performance.now()
  const bench = await startBench(options.data)
  const sections: Section[] = []
  const wanted = Object.entries(ROWS).filter(([group]) => isWanted(group, options))
  try {
    await sayWhatComes(bench, options)
    for (const [group, measure] of wanted) {
      process.stderr.write(`bench: ${group} …\n`)
      const groupMs = performance.now()
      const section = await measure(bench, options)
      const seconds = secondsSince(groupMs)
      printSection(section)
      process.stderr.write(`bench: ${group} took ${show(seconds, ' s')}\n`)
      sections.push({ ...section, seconds })
    }
    const goals = judgeAll(figuresOf(sections, options.quick))
    printSection({ title: 'Goals', note: '', rows: goalRows(goals) })
    writeJson(options.json, sections, goals)
  } finally {
    await bench.stop()
  }
  process.stderr.write(`bench: everything took ${show(secondsSince(startedMs), ' s')}\n`)
}

/** How long it will take and how much of the disk, before anybody has waited for it. */
async function sayWhatComes(bench: Bench, options: BenchOptions): Promise<void> {
  const long = options.quick ? 'under two minutes' : 'about half an hour'
  if (options.only.length === 0) process.stderr.write(`bench: every row takes ${long} on two quiet cores\n`)
  if (options.quick || !isWanted('growth', options)) return
  const room = await growthRoom(bench, options.growth)
  if (room.payments > 0) process.stderr.write(`bench: ${seedingSentence(room).sentence}\n`)
}

const isWanted = (group: string, { only }: BenchOptions): boolean => only.length === 0 || only.includes(group)

const secondsSince = (startedMs: number): number => (performance.now() - startedMs) / 1000

function figuresOf(sections: readonly Section[], quick: boolean): Figures {
  const figures: Figures = Object.assign({}, ...sections.map((section) => section.figures))
  const short = { tooSmall: '--quick' }
  return {
    ...Object.fromEntries(
      Object.entries(figures).map(([name, figure]) => [name, quick ? { ...figure, ...short } : figure]),
    ),
    voidRows: { value: voidRows(sections) },
  }
}

try {
  await main(readOptions(process.argv.slice(2)))
  process.exit(0)
} catch (error) {
  process.stderr.write(`bench: ${startSentence(error)}\n`)
  process.exit(1)
}
