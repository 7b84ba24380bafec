// HTTP as a patient client speaks it: asks again until there is an answer that means something.
import { setTimeout as sleep } from 'node:timers/promises'

export type Call = {
  readonly method: 'GET' | 'POST' | 'PUT'
  readonly url: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: unknown
  /** Sent as a form, as Stripe's API wants it. */
  readonly form?: Readonly<Record<string, string>>
}
export type Answer = { readonly status: number; readonly body: unknown }

const CALL_MS_MAX = 9000
const AGAIN_MS = 250

/** One try; null when no answer came. */
export async function ask(call: Call): Promise<Answer | null> {
  const body = call.form === undefined ? JSON.stringify(call.body) : new URLSearchParams(call.form).toString()
  const type = call.form === undefined ? 'application/json' : 'application/x-www-form-urlencoded'
  const hasBody = call.form !== undefined || call.body !== undefined
  try {
    const response = await fetch(call.url, {
      method: call.method,
      headers: { ...(hasBody ? { 'content-type': type } : {}), ...call.headers },
      ...(hasBody ? { body } : {}),
      signal: AbortSignal.timeout(CALL_MS_MAX),
    })
    const text = await response.text()
    return { status: response.status, body: parsed(text) }
  } catch {
    return null
  }
}

/** Asks until the answer is final, or for `limitMs`; null: it never was. */
export async function askUntil(
  call: Call,
  limitMs: number,
  isFinal: (answer: Answer) => boolean = saysSomething,
): Promise<Answer | null> {
  for (const end = Date.now() + limitMs; Date.now() < end; await sleep(AGAIN_MS)) {
    const answer = await ask(call)
    if (answer !== null && isFinal(answer)) return answer
  }
  return null
}

/** Anything but an answer that asks for patience. */
export function saysSomething({ status }: Answer): boolean {
  return status < 500 && status !== 408 && status !== 425 && status !== 429
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return null
  }
}
