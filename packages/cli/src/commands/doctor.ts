import type { AuditVerificationView, OverviewView } from '@passerelle/contracts/admin'
import type { ReconciliationReport } from '@passerelle/contracts/reconciliation'
import type { Call, Command } from '../command.ts'
import { CommandError } from '../errors.ts'
import { wordsOf } from './words.ts'

type Finding = { readonly ok: boolean; readonly what: string; readonly todo?: string }

// Beyond this a person is waiting: an event is applied in milliseconds, a delivery takes one call.
const LATE_SECONDS = 60

export const doctor: Command = {
  does: 'says whether all is well, and what to do about what is not',
  usage: ['doctor'],
  options: [],
  run: async (call) => {
    wordsOf(call, 0)
    const findings = await examine(call)
    const { options, print, paint } = call
    if (options.json) print(JSON.stringify(findings, null, 2))
    else
      for (const { ok, what, todo } of findings)
        print(
          `${ok ? paint('green', 'ok ') : paint('red', 'NOT')}  ${what}${todo === undefined ? '' : `\n     ${todo}`}`,
        )
    return findings.every(({ ok }) => ok) ? 0 : 1
  },
}

async function examine({ gateway }: Call): Promise<Finding[]> {
  const alive = await gateway.statusOf('/healthz')
  if (alive.status !== 200)
    throw new CommandError(
      alive.message || `${gateway.url} answers ${alive.status} to /healthz: is it the gateway?`,
    )
  const ready = await gateway.statusOf('/readyz')
  const readiness: Finding =
    ready.status === 200
      ? { ok: true, what: `the gateway at ${gateway.url} is ready` }
      : {
          ok: false,
          what: `the gateway is not ready: ${ready.message}`,
          todo: 'Check PostgreSQL and the log.',
        }
  if (!readiness.ok) return [readiness]
  const overview = await gateway.get<OverviewView>('/overview')
  const report = await gateway.get<ReconciliationReport>('/reconciliation')
  const chain = await gateway.get<AuditVerificationView>('/audit/verify')
  return [
    readiness,
    ...eventFindings(overview),
    ...deliveryFindings(overview),
    incidentFinding(overview),
    ...report.schedules.map(scheduleFinding),
    {
      ok: chain.intact,
      what: chain.intact
        ? `the audit log is as written (${chain.entries} entries)`
        : `the audit log was changed at entry ${chain.broken?.id ?? '?'}`,
      ...(chain.intact ? {} : { todo: 'Find out who has write access to the database.' }),
    },
  ]
}

function eventFindings({ events }: OverviewView): Finding[] {
  const late = (events.oldestOwedSeconds ?? 0) > LATE_SECONDS
  return [
    {
      ok: !late,
      what: `${events.owed} events are stored and not applied yet${age(events.oldestOwedSeconds)}`,
      ...(late ? { todo: 'passerelle events --status received says why.' } : {}),
    },
    {
      ok: events.failed === 0,
      what: `${events.failed} events are held`,
      ...(events.failed === 0
        ? {}
        : {
            todo: 'passerelle events --status failed says why; passerelle replay --status failed applies them again.',
          }),
    },
  ]
}

function deliveryFindings({ deliveries }: OverviewView): Finding[] {
  const late = (deliveries.oldestPendingSeconds ?? 0) > LATE_SECONDS
  return [
    {
      ok: !late && !deliveries.breakerOpen,
      what: deliveries.breakerOpen
        ? `the booking service does not answer; ${deliveries.pending} deliveries wait${age(deliveries.oldestPendingSeconds)}`
        : `${deliveries.pending} deliveries wait${age(deliveries.oldestPendingSeconds)}`,
      ...(late || deliveries.breakerOpen
        ? {
            todo: 'passerelle deliveries --status pending says why. They are sent by themselves once it answers.',
          }
        : {}),
    },
    {
      ok: deliveries.dead === 0,
      what: `${deliveries.dead} deliveries are given up`,
      ...(deliveries.dead === 0
        ? {}
        : {
            todo: 'passerelle deliveries --status dead says why; passerelle redeliver --status dead sends them again.',
          }),
    },
  ]
}

function incidentFinding({ incidents }: OverviewView): Finding {
  return {
    ok: incidents.open === 0,
    what: `${incidents.open} incidents are open`,
    ...(incidents.open === 0 ? {} : { todo: 'passerelle incidents --status open' }),
  }
}

function scheduleFinding({ name, lastRun, running }: ReconciliationReport['schedules'][number]): Finding {
  if (lastRun === null)
    return { ok: true, what: running ? `the ${name} runs for the first time` : `the ${name} has not run yet` }
  return lastRun.error === null
    ? { ok: true, what: `the ${name} ran at ${lastRun.finishedAt ?? '?'}: ${lastRun.found ?? 0} differences` }
    : {
        ok: false,
        what: `the ${name} failed: ${lastRun.error}`,
        todo: 'Check that Stripe can be reached and the key is right.',
      }
}

function age(seconds: number | null): string {
  return seconds === null ? '' : `, the oldest for ${Math.round(seconds)} s`
}
