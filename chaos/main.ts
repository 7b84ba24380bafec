// `npm run chaos`: one crash campaign, its report, and the command that runs it again.
import { runCampaign } from './campaign.ts'
import { CHECKS } from './checker.ts'
import { commandOf, readOptions, USAGE, UsageError } from './options.ts'
import type { CampaignOptions } from './options.ts'
import { PLANTS } from './plants.ts'
import { keepHistory, reportOf } from './report.ts'

function say(text: string): void {
  process.stdout.write(`${text}\n`)
}

/** One campaign and its report; whether nothing was wrong. */
async function runOne(options: CampaignOptions): Promise<boolean> {
  say(`passerelle: chaos, seed ${options.seed}\n  ${commandOf(options)}`)
  const outcome = await runCampaign(options, (line) => say(`  ${line}`))
  say(`\n${reportOf(outcome, options)}`)
  const isRight = outcome.violations.length === 0
  if (!isRight) say(`\nThe history of this run is in ${keepHistory(outcome, options)}`)
  outcome.forget()
  return isRight
}

/** A campaign against a broken copy of the gateway; whether the check noticed that has to. */
async function runPlanted(options: CampaignOptions, name: string): Promise<boolean> {
  const plant = PLANTS[name]
  if (plant === undefined) throw new UsageError(`There is no bug "${name}".`)
  const outcome = await runCampaign(
    { ...options, plant: name, extended: options.extended || plant.extended === true },
    () => {},
  )
  const own = outcome.violations.filter(({ check }) => check === plant.caughtBy)
  const others = new Set(outcome.violations.map(({ check }) => check))
  say(`${own.length > 0 ? 'caught    ' : 'NOT CAUGHT'}  ${name}: ${plant.what}`)
  say(`            ${own.length} times by "${plant.caughtBy}": ${own[0]?.what ?? 'nothing'}`)
  say(
    `            by ${others.size} of the ${CHECKS.length} checks, ${outcome.violations.length} violations in all`,
  )
  outcome.forget()
  return own.length > 0
}

async function main(args: readonly string[]): Promise<boolean> {
  const options = readOptions(args)
  if (options.plant === null) return runOne(options)
  if (options.plant === 'list') {
    for (const [name, { what }] of Object.entries(PLANTS)) say(`${name.padEnd(26)} ${what}`)
    return true
  }
  const names = options.plant === 'all' ? Object.keys(PLANTS) : options.plant.split(',')
  let caught = 0
  for (const name of names) if (await runPlanted(options, name)) caught += 1
  say(`${caught} of ${names.length} planted bugs caught`)
  return caught === names.length
}

try {
  process.exit((await main(process.argv.slice(2))) ? 0 : 1)
} catch (error) {
  if (!(error instanceof UsageError)) throw error
  process.stderr.write(`${error.message}\n\n${USAGE}\n`)
  process.exit(2)
}
