import { Type } from 'typebox'
import type { Static } from 'typebox'
import { Nullable } from './nullable.ts'

const Time = Type.String({ format: 'date-time' })

export const SCHEDULE_NAMES = ['sweep', 'reconcile'] as const
export type ScheduleName = (typeof SCHEDULE_NAMES)[number]

export const ReconciliationQuery = Type.Object({
  foundBy: Type.Optional(Type.Enum([...SCHEDULE_NAMES, 'verify'])),
  kind: Type.Optional(Type.String({ pattern: '^[a-z_]{1,40}$' })),
  paymentId: Type.Optional(Type.String({ pattern: '^[A-Za-z0-9_-]{1,100}$' })),
  limit: Type.Optional(Type.String({ pattern: '^([1-9][0-9]?|100)$' })),
  cursor: Type.Optional(Type.String({ maxLength: 500 })),
})

export const RunView = Type.Object({
  schedule: Type.String(),
  startedBy: Type.String(),
  startedAt: Time,
  finishedAt: Nullable(Time),
  durationMs: Nullable(Type.Integer()),
  checked: Nullable(Type.Integer()),
  found: Nullable(Type.Integer()),
  more: Nullable(Type.Boolean({ description: 'It stopped at its bound; the next run goes on at once.' })),
  error: Nullable(Type.String()),
})
export type RunView = Static<typeof RunView>

export const DriftView = Type.Object({
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
export type DriftView = Static<typeof DriftView>

export const ScheduleView = Type.Object({
  name: Type.Enum(SCHEDULE_NAMES),
  nextRunAt: Time,
  running: Type.Boolean(),
  lastRun: Nullable(RunView),
})
export type ScheduleView = Static<typeof ScheduleView>

export const ReconciliationReport = Type.Object({
  schedules: Type.Array(ScheduleView),
  runs: Type.Array(RunView),
  drift: Type.Array(DriftView),
})
export type ReconciliationReport = Static<typeof ReconciliationReport>

/** May be left out altogether: both then. */
export const ReconcileBody = Nullable(Type.Object({ schedule: Type.Optional(Type.Enum(SCHEDULE_NAMES)) }))

export const ReconciledView = Type.Object({
  runs: Type.Array(
    Type.Object({
      schedule: Type.Enum(SCHEDULE_NAMES),
      checked: Type.Integer(),
      found: Type.Integer(),
      more: Type.Boolean(),
      error: Nullable(Type.String()),
    }),
  ),
})
export type ReconciledView = Static<typeof ReconciledView>
