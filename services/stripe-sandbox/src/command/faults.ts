import { API_FAULTS, WEBHOOK_FAULTS } from '../faults/fault.ts'
import type { Call, Command } from './command.ts'
import { numberOption, textOption, UsageError, wordsOf } from './command.ts'

type Rule = Readonly<Record<string, unknown>>
type Armed = {
  readonly on: 'api' | 'webhook'
  readonly route?: string
  readonly type?: string
  readonly fault: string
  readonly probability: number
  readonly left: number | null
  readonly hits: number
}

export const faults: Command = {
  does: 'shows what goes wrong on purpose, adds to it, or ends it',
  usage: [
    'faults',
    `faults api <${API_FAULTS.join('|')}> [--route "POST /v1/refunds"]`,
    `faults webhook <${WEBHOOK_FAULTS.join('|')}> [--type "charge.*"] [--skew -600]`,
    '       … [--times 1] [--probability 0.5] [--delay <ms>] [--seed 7]',
    'faults off',
  ],
  options: {
    route: 'string',
    type: 'string',
    times: 'string',
    probability: 'string',
    delay: 'string',
    skew: 'string',
    seed: 'string',
  },
  run: async (call) => {
    const [verb, fault] = wordsOf(call, 2)
    const now = await call.sandbox.control('GET', 'faults')
    if (verb === undefined) return show(call, now)
    if (verb === 'off') return show(call, await call.sandbox.control('POST', 'faults', { rules: [] }))
    const kept = (now['rules'] as Rule[])
      .filter(({ left }) => left !== 0)
      .map(({ left, ...rule }) => ({ ...rule, times: left }))
    const seed = numberOption(call, 'seed') ?? now['seed']
    const rules = [...kept, ruleOf(call, verb, fault)]
    show(call, await call.sandbox.control('POST', 'faults', { rules, seed }))
  },
}

function ruleOf(call: Call, on: string, fault: string | undefined): Rule {
  const known: readonly string[] | undefined = { api: API_FAULTS, webhook: WEBHOOK_FAULTS }[on]
  if (!known) throw new UsageError(`Faults strike the "api" or a "webhook", not "${on}".`)
  if (fault === undefined || !known.includes(fault)) {
    throw new UsageError(`Say which fault of the ${on}: ${known.join(', ')}.`)
  }
  if (on === 'api' && call.options['type'])
    throw new UsageError('Faults of the api take --route, not --type.')
  if (on === 'webhook' && call.options['route'])
    throw new UsageError('Faults of webhooks take --type, not --route.')
  const rule = {
    on,
    fault,
    route: textOption(call, 'route'),
    type: textOption(call, 'type'),
    times: numberOption(call, 'times'),
    probability: numberOption(call, 'probability'),
    delayMs: numberOption(call, 'delay'),
    skewSeconds: numberOption(call, 'skew'),
  }
  return Object.fromEntries(Object.entries(rule).filter(([, value]) => value !== undefined))
}

function show({ print }: Call, { seed, rules }: Readonly<Record<string, unknown>>): void {
  const shown = (rules as Armed[]).map(({ on, route, type, fault, probability, left, hits }) => {
    const until = left === null ? 'without end' : `${left} more times`
    const odds = probability === 1 ? '' : `, with probability ${probability}`
    return `${on} ${route ?? type ?? '*'}: ${fault}, ${until}${odds}; struck ${hits} times`
  })
  print(shown.length === 0 ? 'No faults: everything goes well.' : `${shown.join('\n')}\nseed ${String(seed)}`)
}
