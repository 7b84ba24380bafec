// `npm run bench`: one command, no set-up. Everything that is compared is measured in the same run.
import { startSentence } from '@passerelle/kit/service'
import { startBench } from './bench.ts'
import type { Bench } from './bench.ts'
import { readOptions } from './options.ts'
import type { BenchOptions } from './options.ts'
import { printSection, writeJson } from './report.ts'
import type { Section } from './report.ts'
import { apiRows } from './rows/api-rows.ts'
import { backlogRows } from './rows/backlog-rows.ts'
import { loadRows, memoryRows } from './rows/load-rows.ts'
import { streamRows } from './rows/stream-rows.ts'
import { webhookRows } from './rows/webhook-rows.ts'

const ROWS: Readonly<Record<string, (bench: Bench, options: BenchOptions) => Promise<Section>>> = {
  webhooks: webhookRows,
  load: loadRows,
  api: apiRows,
  streams: streamRows,
  backlog: backlogRows,
  memory: memoryRows,
}

async function main(options: BenchOptions): Promise<void> {
  const bench = await startBench()
  const sections: Section[] = []
  try {
    for (const [group, measure] of Object.entries(ROWS)) {
      if (options.only.length > 0 && !options.only.includes(group)) continue
      process.stderr.write(`bench: ${group} …\n`)
      const section = await measure(bench, options)
      printSection(section)
      sections.push(section)
    }
    writeJson(options.json, sections)
  } finally {
    await bench.stop()
  }
}

try {
  await main(readOptions(process.argv.slice(2)))
  process.exit(0)
} catch (error) {
  process.stderr.write(`bench: ${startSentence(error)}\n`)
  process.exit(1)
}
