// What Passerelle promises of itself on two cores, and how a run is held against it.
import type { Row } from './report.ts'

/** One figure a goal is judged by. */
export type Figure = {
  readonly value: number
  /** Why the value proves nothing: fewer payments, streams or rounds than the goal names. */
  readonly tooSmall?: string
  /** A row whose payments were not all right has no figure, however fast it was. */
  readonly isVoid?: boolean
}

export const GOALS = {
  eventsPerSecond: {
    text: 'events/s, durable and applied, one gateway process',
    atLeast: 11_500,
    unit: '/s',
  },
  timesLesson: { text: "times the lesson's design", atLeast: 8, unit: '×' },
  shareOfCeiling: { text: 'of node:http with HMAC', atLeast: 0.5, unit: '×' },
  answerP99: { text: 'p99 of the answer at 2,000 events/s offered', atMost: 25, unit: ' ms' },
  toldP99: { text: 'received to booking service told, p99, at 2,000 events/s', atMost: 250, unit: ' ms' },
  memoryPeak: { text: 'memory over 1 million events, peak', below: 300, unit: ' MB' },
  memoryRise: { text: 'memory over 1 million events, rise over the second half', atMost: 5, unit: ' %' },
  growthRate: {
    text: 'events/s with 5 million payments of those with 100 thousand',
    atLeast: 0.8,
    unit: '×',
  },
  growthCpu: {
    text: 'processor time per event with 5 million payments of that with 100 thousand',
    atMost: 1.2,
    unit: '×',
  },
  streamMemory: { text: 'memory for each of 5,000 open status streams', below: 60, unit: ' kB' },
  streamP99: { text: '2xx (commit) to stream told, p99, 5,000 streams', below: 200, unit: ' ms' },
  voidRows: { text: 'rows whose correctness check does not hold', atMost: 0, unit: '' },
} as const satisfies Readonly<Record<string, Goal>>

type Goal = { readonly text: string; readonly unit: string } & (
  | { readonly atLeast: number }
  | { readonly atMost: number }
  | { readonly below: number }
)
export type GoalName = keyof typeof GOALS
export type Figures = Readonly<Partial<Record<GoalName, Figure>>>
export type Verdict = 'reached' | 'not reached' | 'not measured'
export type Judged = {
  readonly name: GoalName
  readonly goal: string
  readonly measured: number | null
  readonly verdict: Verdict
  readonly note: string
}

/** Every goal with what this run says of it, in the order of the list above. */
export function judgeAll(figures: Figures): readonly Judged[] {
  return (Object.keys(GOALS) as GoalName[]).map((name) => judge(name, figures[name]))
}

export function judge(name: GoalName, figure: Figure | undefined): Judged {
  const goal: Goal = GOALS[name]
  const base = { name, goal: limitOf(goal) }
  if (!figure) return { ...base, measured: null, verdict: 'not measured', note: '' }
  const { value, tooSmall = '', isVoid = false } = figure
  if (isVoid) return { ...base, measured: null, verdict: 'not reached', note: 'the row is void' }
  if (Number.isNaN(value)) return { ...base, measured: null, verdict: 'not measured', note: tooSmall }
  const verdict = isReached(goal, value) ? 'reached' : 'not reached'
  return { ...base, measured: value, verdict: tooSmall === '' ? verdict : 'not measured', note: tooSmall }
}

export function goalRows(judged: readonly Judged[]): readonly Row[] {
  return judged.map(({ name, goal, measured, verdict, note }) => ({
    name: GOALS[name].text,
    cells: {
      goal,
      measured: measured === null ? '–' : `${shortOf(measured)}${GOALS[name].unit}`,
      verdict,
      note,
    },
  }))
}

function isReached(goal: Goal, value: number): boolean {
  if ('atLeast' in goal) return value >= goal.atLeast
  return 'atMost' in goal ? value <= goal.atMost : value < goal.below
}

function limitOf(goal: Goal): string {
  if ('atLeast' in goal) return `≥ ${shortOf(goal.atLeast)}${goal.unit}`
  return 'atMost' in goal ? `≤ ${shortOf(goal.atMost)}${goal.unit}` : `< ${shortOf(goal.below)}${goal.unit}`
}

/** Three digits are enough to see on which side of a goal a figure lies. */
function shortOf(value: number): string {
  return Math.abs(value) >= 100
    ? Math.round(value).toLocaleString('en-US')
    : String(Number(value.toPrecision(3)))
}
