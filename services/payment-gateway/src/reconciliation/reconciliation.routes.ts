import { successBody } from '@passerelle/contracts/envelope'
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
import { listRuns, listSchedules, SCHEDULES } from './schedule.repository.ts'
import type { Found, RunRow, ScheduleName, ScheduleRow } from './schedule.repository.ts'

export type ReconciliationRoutesDeps = {
  readonly pool: Pool
  readonly authenticate: Authenticate
  readonly healing: Healing
}

const Nullable = <T extends Parameters<typeof Type.Union>[0][number]>(schema: T) =>
  Type.Union([schema, Type.Null()])
const Schedule = Type.Union(SCHEDULES.map((name) => Type.Literal(name)))
const Time = Type.String({ format: 'date-time' })

const Run = Type.Object({
  schedule: Type.String(),
  startedBy: Type.String(),
  startedAt: Time,
  finishedAt: Nullable(Time),
  durationMs: Nullable(Type.Integer()),
  checked: Nullable(Type.Integer()),
  found: Nullable(Type.Integer()),
  more: Nullable(Type.Boolean()),
  error: Nullable(Type.String()),
})
const DriftView = Type.Object({
  foundBy: Type.String(),
  kind: Type.String(),
  subject: Type.String(),
  paymentId: Nullable(Type.String()),
  thought: Type.String(),
  stripeSaid: Type.String(),
  done: Type.String(),
  ageSeconds: Nullable(Type.Number()),
  foundAt: Time,
})
const Report = Type.Object({
  success: Type.Literal(true),
  data: Type.Object({
    schedules: Type.Array(
      Type.Object({
        name: Type.String(),
        nextRunAt: Time,
        running: Type.Boolean(),
        lastRun: Nullable(Run),
      }),
    ),
    runs: Type.Array(Run),
    drift: Type.Array(DriftView),
  }),
  nextCursor: Nullable(Type.String()),
})
const RanNow = Type.Object({
  runs: Type.Array(
    Type.Object({
      schedule: Type.String(),
      checked: Type.Integer(),
      found: Type.Integer(),
      more: Type.Boolean(),
      error: Nullable(Type.String()),
    }),
  ),
})

const ReportQuery = Type.Object({
  foundBy: Type.Optional(
    Type.Union([Type.Literal('sweep'), Type.Literal('reconcile'), Type.Literal('verify')]),
  ),
  kind: Type.Optional(Type.String({ pattern: '^[a-z_]{1,40}$' })),
  paymentId: Type.Optional(Type.String({ pattern: '^[A-Za-z0-9_-]{1,100}$' })),
  limit: Type.Optional(Type.String({ pattern: '^([1-9][0-9]?|100)$' })),
  cursor: Type.Optional(Type.String({ maxLength: 500 })),
})
const RUNS_SHOWN = 20

/** What sweep and reconciliation found by themselves, and running them by hand. */
export function reconciliationRoutes(server: HttpServer, deps: ReconciliationRoutesDeps): void {
  server.get(
    '/admin/reconciliation',
    {
      schema: {
        summary: 'The last runs of sweep and reconciliation, and the differences they found, newest first',
        tags: ['admin'],
        querystring: ReportQuery,
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
        body: Type.Object({ schedule: Type.Optional(Schedule) }),
        response: { 200: successBody(RanNow) },
      },
    },
    async (request) => {
      const operator = await operatorOf(request, deps.authenticate)
      const names: readonly ScheduleName[] =
        request.body.schedule === undefined ? SCHEDULES : [request.body.schedule]
      const runs: (Found & { schedule: ScheduleName })[] = []
      for (const schedule of names) {
        const found = await deps.healing.runNow(schedule, operator.name)
        if (found === null)
          throw new ApiError('INVALID_STATE', `The ${schedule} runs already. Wait for its result.`, {
            retryAfterSeconds: 2,
          })
        runs.push({ schedule, ...found })
      }
      await inTransaction(deps.pool, (tx) =>
        appendAudit(tx, [
          {
            actor: operator.name,
            action: 'reconciliation.run',
            subject: names.join(' '),
            paymentId: null,
            reason: null,
            before: null,
            after: { runs: runs.map(({ schedule, checked, found }) => ({ schedule, checked, found })) },
            requestId: request.id,
          },
        ]),
      )
      return { success: true as const, data: { runs } }
    },
  )
}

function scheduleView({ name, nextRunAt, held }: ScheduleRow, runs: readonly RunRow[]) {
  const last = runs.find(({ schedule, finishedAt }) => schedule === name && finishedAt !== null)
  return {
    name,
    nextRunAt: nextRunAt.toISOString(),
    running: held,
    lastRun: last === undefined ? null : runView(last),
  }
}

function runView({ startedAt, finishedAt, ...run }: RunRow) {
  return {
    ...run,
    startedAt: startedAt.toISOString(),
    finishedAt: finishedAt?.toISOString() ?? null,
    durationMs: finishedAt === null ? null : finishedAt.getTime() - startedAt.getTime(),
  }
}

function driftView({ foundAt, id: _id, cursor: _cursor, ...drift }: DriftRow) {
  return { ...drift, foundAt: foundAt.toISOString() }
}
