import { invalidRequest } from '../errors.ts'
import { readRule } from '../faults/fault.ts'
import { changedSettings, readSettings } from '../settings.ts'
import { NOBODY } from '../store/store.ts'
import type { ControlDeps, Route } from './control.ts'
import { numberOf, readJson } from './control.ts'

const MAX_ADVANCE_S = 400 * 86_400
const MAX_SPEED = 1_000_000

/** Time and trouble: the clock, the settings and the faults. */
export function timeAndTrouble(route: Route, deps: ControlDeps): void {
  const { store, scheduler, deliverer, faults } = deps
  const { clock } = store
  const clockNow = (): object => ({
    now: new Date(clock.nowMs()).toISOString(),
    nowMs: clock.nowMs(),
    speed: clock.setting.speed,
  })
  const keep = (): object => {
    store.transact(NOBODY, (tx) => tx.put('settings', { id: 'clock', ...clock.setting }))
    scheduler.rearm()
    return clockNow()
  }
  route('GET', 'clock', clockNow)
  route('POST', 'clock', (request) => {
    const speed = numberOf(readJson(request)['speed'])
    if (speed === undefined || !(speed >= 0 && speed <= MAX_SPEED)) {
      throw invalidRequest(`speed must be a number from 0 (time stands) to ${MAX_SPEED}; 1 is real time.`, {
        param: 'speed',
      })
    }
    clock.setSpeed(speed)
    return keep()
  })
  route('POST', 'clock/advance', async (request) => {
    const seconds = numberOf(readJson(request)['seconds'])
    if (seconds === undefined || !(seconds > 0 && seconds <= MAX_ADVANCE_S)) {
      throw invalidRequest(`seconds must be a number above 0 and at most ${MAX_ADVANCE_S}.`, {
        param: 'seconds',
      })
    }
    await scheduler.advanceTo(clock.nowMs() + Math.round(seconds * 1000), () => deliverer.idle())
    return keep()
  })
  route('GET', 'settings', () => store.settings)
  route('POST', 'settings', (request) => {
    const change = readSettings(readJson(request))
    return Object.assign(store.settings, changedSettings(store.settings, change))
  })
  route('GET', 'faults', () => faults.list())
  route('POST', 'faults', (request) => {
    const { rules: asked, seed = 1 } = readJson(request)
    // A form cannot say "an empty list" otherwise.
    const rules = asked === undefined || asked === '' ? [] : asked
    if (!Array.isArray(rules)) throw invalidRequest('rules must be a list.', { param: 'rules' })
    if (typeof seed !== 'number') throw invalidRequest('seed must be a number.', { param: 'seed' })
    faults.set(rules.map(readRule), seed)
    return faults.list()
  })
  route('POST', 'faults/add', (request) => {
    faults.add(readRule(readJson(request)))
    return faults.list()
  })
}
