// `npm run bench`: one command, no set-up. Everything that is compared is measured in the same run.
import { startSentence } from '@passerelle/kit/service'
import { startBench } from './bench.ts'
import type { Bench } from './bench.ts'
import { goalRows, judgeAll } from './goals.ts'
import type { Figures } from './goals.ts'
import { readOptions } from './options.ts'
import type { BenchOptions } from './options.ts'
import { printSection, voidRows, writeJson } from './report.ts'
import type { Section } from './report.ts'
import { apiRows } from './rows/api-rows.ts'
import { backlogRows } from './rows/backlog-rows.ts'
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
  const bench = await startBench(options.data)
  const sections: Section[] = []
  try {
    for (const [group, measure] of Object.entries(ROWS)) {
      if (options.only.length > 0 && !options.only.includes(group)) continue
      process.stderr.write(`bench: ${group} …\n`)
      const section = await measure(bench, options)
      printSection(section)
      sections.push(section)
    }
    const goals = judgeAll(figuresOf(sections, options.quick))
    printSection({ title: 'Goals', note: '', rows: goalRows(goals) })
    writeJson(options.json, sections, goals)
  } finally {
    await bench.stop()
  }
}

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
