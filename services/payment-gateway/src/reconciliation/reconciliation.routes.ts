import { successBody } from '@passerelle/contracts/envelope'
import {
  ReconcileBody,
  ReconciledView,
  ReconciliationQuery,
  ReconciliationReport,
  SCHEDULE_NAMES,
} from '@passerelle/contracts/reconciliation'
import type { DriftView, RunView, ScheduleView } from '@passerelle/contracts/reconciliation'
import type { Authenticate } from '@passerelle/kit/caller'
import { inTransaction } from '@passerelle/kit/database'
import type { Pool } from '@passerelle/kit/database'
import { ApiError } from '@passerelle/kit/errors'
import type { HttpServer } from '@passerelle/kit/http'
import { Type } from 'typebox'
import { appendAudit } from '../admin/audit.repository.ts'
import { pageOf, pageWish } from '../admin/page.ts'
import { operatorOf } from '../ops/operator.ts'
import { listDrift } from './drift.repository.ts'
import type { DriftRow } from './drift.repository.ts'
import type { Healing } from './run-schedule.ts'
import { listRuns, listSchedules } from './schedule.repository.ts'
import type { Found, RunRow, ScheduleRow } from './schedule.repository.ts'
import type { ScheduleName } from '@passerelle/contracts/reconciliation'

export type ReconciliationRoutesDeps = {
  readonly pool: Pool
  readonly authenticate: Authenticate
  readonly healing: Healing
}

const RUNS_SHOWN = 20
const Report = Type.Object({
  success: Type.Literal(true),
  data: ReconciliationReport,
  nextCursor: Type.Union([Type.String(), Type.Null()]),
})

/** What sweep and reconciliation found by themselves, and running them by hand. */
export function reconciliationRoutes(server: HttpServer, deps: ReconciliationRoutesDeps): void {
  server.get(
    '/admin/reconciliation',
    {
      schema: {
        summary: 'The last runs of sweep and reconciliation, and the differences they found, newest first',
        tags: ['admin'],
        querystring: ReconciliationQuery,
        response: { 200: Report },
      },
    },
    async (request) => {
      await operatorOf(request, deps.authenticate)
      const { foundBy = null, kind = null, paymentId = null, limit, cursor } = request.query
      const wish = pageWish({
        ...(limit === undefined ? {} : { limit }),
        ...(cursor === undefined ? {} : { cursor }),
      })
      const drift = await listDrift(deps.pool, { foundBy, kind, paymentId, ...wish })
      const page = pageOf(drift, wish.limit, driftView)
      const runs = await listRuns(deps.pool, RUNS_SHOWN)
      const schedules = (await listSchedules(deps.pool)).map((row) => scheduleView(row, runs))
      return {
        success: true as const,
        data: { schedules, runs: runs.map(runView), drift: page.data },
        nextCursor: page.nextCursor,
      }
    },
  )
  runNow(server, deps)
}

function runNow(server: HttpServer, deps: ReconciliationRoutesDeps): void {
  server.post(
    '/admin/reconciliation',
    {
      schema: {
        summary: 'Sweeps and reconciles now, or one of them; answers when it is done',
        tags: ['admin'],
        body: ReconcileBody,
        response: { 200: successBody(ReconciledView) },
      },
    },
    async (request) => {
      const operator = await operatorOf(request, deps.authenticate)
      const schedule = request.body?.schedule
      const names: readonly ScheduleName[] = schedule === undefined ? SCHEDULE_NAMES : [schedule]
      const runs: (Found & { schedule: ScheduleName })[] = []
      for (const schedule of names) {
        const found = await deps.healing.runNow(schedule, operator.name)
        if (found === null)
          throw new ApiError('INVALID_STATE', `The ${schedule} runs already. Wait for its result.`, {
            retryAfterSeconds: 2,
          })
        runs.push({ schedule, ...found })
        // Each by itself: the next one may be refused, and this one was run all the same.
        await inTransaction(deps.pool, (tx) =>
          appendAudit(tx, [
            {
              actor: operator.name,
              action: 'reconciliation.run',
              subject: schedule,
              paymentId: null,
              reason: null,
              before: null,
              after: { checked: found.checked, found: found.found },
              requestId: request.id,
            },
          ]),
        )
      }
      return { success: true as const, data: { runs } }
    },
  )
}

function scheduleView({ name, nextRunAt, held }: ScheduleRow, runs: readonly RunRow[]): ScheduleView {
  const last = runs.find(({ schedule, finishedAt }) => schedule === name && finishedAt !== null)
  return {
    name,
    nextRunAt: nextRunAt.toISOString(),
    running: held,
    lastRun: last === undefined ? null : runView(last),
  }
}

function runView({ startedAt, finishedAt, ...run }: RunRow): RunView {
  return {
    ...run,
    startedAt: startedAt.toISOString(),
    finishedAt: finishedAt?.toISOString() ?? null,
    durationMs: finishedAt === null ? null : finishedAt.getTime() - startedAt.getTime(),
  }
}

function driftView({ foundAt, id: _id, cursor: _cursor, ...drift }: DriftRow): DriftView {
  return { ...drift, foundAt: foundAt.toISOString() }
}
