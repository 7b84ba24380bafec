import type { ApiRule, Rule, WebhookRule } from './fault.ts'
import { covers, randomFrom } from './fault.ts'

export type ArmedRule = Rule & { readonly left: number | null; readonly hits: number }
type Armed = { readonly rule: Rule; left: number | null; hits: number }

/** The faults that are switched on. With the same seed, rules and calls they strike in the same places. */
export class Faults {
  #armed: Armed[] = []
  #seed = 1
  random: () => number = randomFrom(1)

  set(rules: readonly Rule[], seed: number): void {
    this.#armed = rules.map((rule) => ({ rule, left: rule.times, hits: 0 }))
    this.#seed = seed
    this.random = randomFrom(seed)
  }

  /** Arms one more, behind the others; what they have struck and their dice stay. */
  add(rule: Rule): void {
    this.#armed.push({ rule, left: rule.times, hits: 0 })
  }

  /** Whether nothing is armed. */
  get isQuiet(): boolean {
    return this.#armed.length === 0
  }

  /** How many may still strike. */
  active(): number {
    return this.#armed.filter(({ left }) => left !== 0).length
  }

  list(): { readonly seed: number; readonly rules: readonly ArmedRule[] } {
    return { seed: this.#seed, rules: this.#armed.map(({ rule, left, hits }) => ({ ...rule, left, hits })) }
  }

  /** The fault that strikes this call, if any: the first rule that covers it and wins its throw. */
  forCall(method: string, path: string): ApiRule | undefined {
    return this.#strike((rule) => rule.on === 'api' && covers(rule.route, `${method} ${path}`)) as
      | ApiRule
      | undefined
  }

  forDelivery(type: string): WebhookRule | undefined {
    return this.#strike((rule) => rule.on === 'webhook' && covers(rule.type, type)) as WebhookRule | undefined
  }

  #strike(matches: (rule: Rule) => boolean): Rule | undefined {
    for (const armed of this.#armed) {
      if (armed.left === 0 || !matches(armed.rule)) continue
      if (armed.rule.probability < 1 && this.random() >= armed.rule.probability) continue
      armed.hits++
      if (armed.left !== null) armed.left--
      return armed.rule
    }
    return undefined
  }
}
