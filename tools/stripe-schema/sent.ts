// What a sandbox sends in a test is checked against the SDK's own type declarations; the test that made it send
// something wrong fails.
import { after, afterEach } from 'node:test'
import { readFileSync } from 'node:fs'
import type { Sent } from '@passerelle/stripe-sandbox/sent'
import { API_VERSION } from '@passerelle/stripe-sandbox/settings'
import type { Checker } from './check.ts'
import { createChecker } from './check.ts'
import { stripeSchema } from './schema.ts'

const PROBLEMS_SHOWN = 20

/** Pass the result to `startSandbox`. Also checks what is sent after the last test, while the sandbox stops. */
export function checkSent(): { readonly onSent: (sent: Sent) => void } {
  const problems = new Set<string>()
  const fail = (): void => {
    if (problems.size === 0) return
    const found = [...problems]
    problems.clear()
    throw new Error(sentenceOf(found))
  }
  afterEach(fail)
  after(fail)
  return { onSent: (sent) => collect(sent, problems) }
}

/** Throws when a record of the wire (`SANDBOX_WIRE_LOG`) holds anything that the SDK's declarations do not allow. */
export function checkWireLog(file: string): void {
  const problems = new Set<string>()
  for (const line of readFileSync(file, 'utf8').split('\n'))
    if (line !== '') collect(JSON.parse(line) as Sent, problems)
  if (problems.size > 0) throw new Error(sentenceOf([...problems]))
}

let checker: Checker | undefined

function collect(sent: Sent, problems: Set<string>): void {
  // What is rendered for an older API version is not what this SDK's declarations describe.
  if (sent.version !== API_VERSION) return
  // A route of Stripe's command line alone, which the SDK does not declare.
  if (sent.what.endsWith('/v1/stripecli/sessions')) return
  // In the second version what was deleted has the name of what it was, and nothing but its id.
  if (sent.what.startsWith('DELETE /v2/') && !isError(sent.body)) return
  checker ??= createChecker(stripeSchema())
  const found = sent.kind === 'event' ? checker.event(sent.body) : checker.answer(sent.body)
  for (const problem of found) problems.add(`${sent.what}: ${problem}`)
}

function isError(body: unknown): boolean {
  return typeof body === 'object' && body !== null && 'error' in body
}

function sentenceOf(problems: readonly string[]): string {
  const rest = problems.length > PROBLEMS_SHOWN ? `\n… and ${problems.length - PROBLEMS_SHOWN} more` : ''
  return `The sandbox sent what Stripe's types do not allow:\n${problems.slice(0, PROBLEMS_SHOWN).join('\n')}${rest}`
}
