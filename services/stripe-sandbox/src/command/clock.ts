import type { Call, Command } from './command.ts'
import { UsageError, wordsOf } from './command.ts'

const UNITS: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600, d: 86_400 }

export const clock: Command = {
  does: 'shows the time of the sandbox, moves it on, or changes its pace',
  usage: ['clock', 'clock advance <90s|10m|1h|7d>', 'clock speed <0 stands, 1 real, 60 a minute per second>'],
  options: {},
  run: async (call) => {
    const [verb, value] = wordsOf(call, 2)
    if (verb === undefined) return show(call, await call.sandbox.control('GET', 'clock'))
    if (verb === 'advance') {
      const seconds = secondsOf(value)
      return show(call, await call.sandbox.control('POST', 'clock/advance', { seconds }))
    }
    if (verb !== 'speed') throw new UsageError(`The clock knows "advance" and "speed", not "${verb}".`)
    const speed = Number(value)
    if (value === undefined || Number.isNaN(speed))
      throw new UsageError('Say how fast: a number, 1 is real time.')
    show(call, await call.sandbox.control('POST', 'clock', { speed }))
  },
}

function show({ print }: Call, { now, speed }: Readonly<Record<string, unknown>>): void {
  const pace =
    speed === 0 ? 'it stands' : speed === 1 ? 'real time' : `${String(speed)} times as fast as real time`
  print(`${String(now)} (${pace})`)
}

function secondsOf(text: string | undefined): number {
  const [, number, unit] = /^(\d+(?:\.\d+)?)(s|m|h|d)$/.exec(text ?? '') ?? []
  if (number === undefined || unit === undefined) {
    throw new UsageError('Say how far: 90s, 10m, 1h or 7d.')
  }
  return Number(number) * (UNITS[unit] ?? 1)
}
