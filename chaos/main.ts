// `npm run chaos`: one crash campaign, its report, and the command that runs it again.
import { runCampaign } from './campaign.ts'
import { commandOf, readOptions, USAGE, UsageError } from './options.ts'
import { PLANTS } from './plants.ts'
import { keepHistory, reportOf } from './report.ts'

function say(text: string): void {
  process.stdout.write(`${text}\n`)
}

async function main(args: readonly string[]): Promise<number> {
  const options = readOptions(args)
  if (options.plant === 'list') {
    for (const [name, { what }] of Object.entries(PLANTS)) say(`${name.padEnd(26)} ${what}`)
    return 0
  }
  if (options.plant !== null && !(options.plant in PLANTS))
    throw new UsageError(`There is no bug "${options.plant}".`)
  say(`passerelle: chaos, seed ${options.seed}\n  ${commandOf(options)}`)
  const outcome = await runCampaign(options, (line) => say(`  ${line}`))
  say(`\n${reportOf(outcome, options)}`)
  const failed = outcome.violations.length > 0
  if (failed) say(`\nThe history of this run is in ${keepHistory(outcome, options)}`)
  outcome.forget()
  if (options.plant === null) return failed ? 1 : 0
  const { caughtBy } = PLANTS[options.plant] ?? { caughtBy: '' }
  const caught = outcome.violations.some(({ check }) => check === caughtBy)
  say(`\nThe planted bug was ${caught ? 'caught' : 'NOT caught'} by "${caughtBy}".`)
  return caught ? 0 : 1
}

try {
  process.exit(await main(process.argv.slice(2)))
} catch (error) {
  if (!(error instanceof UsageError)) throw error
  process.stderr.write(`${error.message}\n\n${USAGE}\n`)
  process.exit(2)
}
