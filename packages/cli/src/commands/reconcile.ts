import type { DriftView, ReconciledView, ReconciliationReport } from '@passerelle/contracts/reconciliation'
import { SCHEDULE_NAMES } from '@passerelle/contracts/reconciliation'
import type { Call, Command } from '../command.ts'
import { UsageError } from '../errors.ts'
import { moment, table } from '../table.ts'
import { wordsOf } from './words.ts'

export const reconcile: Command = {
  does: 'compares with Stripe now and heals; `report` shows the last runs and every difference found',
  usage: ['reconcile [sweep|reconcile]', 'reconcile report'],
  options: [],
  run: async (call) => {
    const [word] = wordsOf(call, 1)
    if (word === 'report') return report(call)
    const schedule = SCHEDULE_NAMES.find((name) => name === word)
    if (word !== undefined && schedule === undefined)
      throw new UsageError(`"${word}" is none of ${SCHEDULE_NAMES.join(', ')}, report.`)
    const { gateway, options, print, paint } = call
    const { runs } = await gateway.post<ReconciledView>('/reconciliation', schedule ? { schedule } : {})
    if (options.json) print(JSON.stringify(runs, null, 2))
    else
      print(
        table(
          ['run', 'checked', 'found', 'more', 'error'],
          runs.map((run) => [
            run.schedule,
            String(run.checked),
            String(run.found),
            run.more ? 'yes, run it again' : 'no',
            run.error ?? '',
          ]),
          paint,
        ),
      )
    return runs.some(({ error }) => error !== null) ? 1 : 0
  },
}

async function report({ gateway, options, print, paint }: Call): Promise<void> {
  const found = await gateway.get<ReconciliationReport>('/reconciliation')
  if (options.json) return print(JSON.stringify(found, null, 2))
  const schedules = found.schedules.map(({ name, nextRunAt, running, lastRun }) => [
    name,
    running ? 'now' : moment(lastRun?.finishedAt ?? null),
    lastRun?.error ?? `${lastRun?.checked ?? 0} checked, ${lastRun?.found ?? 0} found`,
    moment(nextRunAt),
  ])
  print(table(['schedule', 'last run', 'result', 'next run'], schedules, paint))
  print('')
  if (found.drift.length === 0) return print('No difference was ever found.')
  print(
    table(
      ['found', 'by', 'what', 'about', 'thought', 'stripe said', 'done'],
      found.drift.map(driftRow),
      paint,
    ),
  )
}

function driftRow(drift: DriftView): string[] {
  const { foundAt, foundBy, kind, subject, thought, stripeSaid, done } = drift
  return [moment(foundAt), foundBy, kind, subject, thought, stripeSaid, done]
}
