// What a process costs, read from /proc; where there is none (not Linux) the figures are left out.
import { readFileSync, readdirSync } from 'node:fs'

const TICKS_PER_SECOND = 100

/** Processor seconds used so far by these processes and by the children of those named in `parents` (living or reaped). */
export function cpuSeconds(pids: readonly number[], parents: readonly number[] = []): number {
  let ticks = 0
  for (const pid of pids) ticks += ownTicks(pid)
  if (parents.length === 0) return ticks / TICKS_PER_SECOND
  for (const parent of parents) {
    const fields = statOf(parent)
    if (fields) ticks += Number(fields[11]) + Number(fields[12]) + Number(fields[13]) + Number(fields[14])
  }
  for (const pid of processes()) {
    const fields = statOf(pid)
    if (fields && parents.includes(Number(fields[1]))) ticks += Number(fields[11]) + Number(fields[12])
  }
  return ticks / TICKS_PER_SECOND
}

/** Resident memory in megabytes, together; NaN where it cannot be read. */
export function memoryMb(pids: readonly number[]): number {
  let kilobytes = 0
  for (const pid of pids) {
    try {
      kilobytes += Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1])
    } catch {
      return Number.NaN
    }
  }
  return kilobytes / 1024
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  const middle = Math.floor(sorted.length / 2)
  return sorted.length % 2 === 1
    ? (sorted[middle] ?? Number.NaN)
    : ((sorted[middle - 1] ?? Number.NaN) + (sorted[middle] ?? Number.NaN)) / 2
}

export type Percentiles = {
  readonly p50: number
  readonly p95: number
  readonly p99: number
  readonly max: number
}

/** Of values in any order; NaN when there are none. */
export function percentiles(values: Float64Array): Percentiles {
  const sorted = values.toSorted()
  const at = (share: number): number =>
    sorted[Math.min(Math.ceil(sorted.length * share), sorted.length) - 1] ?? Number.NaN
  return { p50: at(0.5), p95: at(0.95), p99: at(0.99), max: at(1) }
}

/** By how much values taken at even distances rise from the first to the last, along the straight line nearest to them. */
export function riseOver(values: readonly number[]): number {
  const count = values.length
  if (count < 2) return Number.NaN
  const middle = (count - 1) / 2
  const mean = values.reduce((sum, value) => sum + value, 0) / count
  let products = 0
  let squares = 0
  for (const [index, value] of values.entries()) {
    products += (index - middle) * (value - mean)
    squares += (index - middle) ** 2
  }
  return (products / squares) * (count - 1)
}

function ownTicks(pid: number): number {
  const fields = statOf(pid)
  return fields ? Number(fields[11]) + Number(fields[12]) : 0
}

/** The fields of /proc/<pid>/stat after the command's name, which may hold spaces: state, ppid, … utime at 11. */
function statOf(pid: number): string[] | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  } catch {
    return null
  }
}

function processes(): number[] {
  try {
    return readdirSync('/proc').map(Number).filter(Number.isInteger)
  } catch {
    return []
  }
}
