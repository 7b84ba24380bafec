import { CommandError } from './command.ts'

export type Json = Readonly<Record<string, unknown>>
/** Values of Stripe's form encoding; nested objects become `a[b]`, lists `a[0]`. */
export type Form = { readonly [name: string]: FormValue }
type FormValue = string | number | boolean | readonly FormValue[] | Form

export type SandboxClient = {
  readonly url: string
  /** Calls Stripe's API. Throws a CommandError with the sandbox's own words, unless `allow` is the status. */
  api(method: 'DELETE' | 'GET' | 'POST', path: string, form?: Form, allow?: number): Promise<Json>
  /** Calls the sandbox's own routes. */
  control(method: 'GET' | 'POST', path: string, body?: object): Promise<Json>
}

const KEY = 'sk_test_passerelle'

export function createSandboxClient(url: string): SandboxClient {
  return {
    url,
    api: (method, path, form, allow) => {
      const text = form ? encode(form) : ''
      return answerOf(url, {
        path: method === 'POST' || text === '' ? path : `${path}?${text}`,
        allow,
        init: {
          method,
          headers: { authorization: `Bearer ${KEY}`, 'content-type': 'application/x-www-form-urlencoded' },
          ...(method === 'POST' ? { body: text } : {}),
        },
      })
    },
    control: (method, path, body) =>
      answerOf(url, {
        path: `/_sandbox/${path}`,
        init: {
          method,
          headers: { 'content-type': 'application/json' },
          ...(body === undefined ? {} : { body: JSON.stringify(body) }),
        },
      }),
  }
}

async function answerOf(
  url: string,
  call: { path: string; init: RequestInit; allow?: number | undefined },
): Promise<Json> {
  const response = await fetch(`${url}${call.path}`, call.init).catch(() => {
    throw new CommandError(
      `No sandbox answers at ${url}. Start one with "passerelle-sandbox start", or name another with --url.`,
    )
  })
  const body = (await response.json().catch(() => {
    throw new CommandError(`What answers at ${url} is not a sandbox. Name the sandbox with --url.`)
  })) as Json
  if (response.ok || response.status === call.allow) return body
  const { message } = (body['error'] ?? {}) as { message?: string }
  throw new CommandError(message ?? `The sandbox answered ${response.status}.`)
}

function encode(form: Form): string {
  return pairs(form, '')
    .map(([name, value]) => `${encodeURIComponent(name)}=${encodeURIComponent(value)}`)
    .join('&')
}

function pairs(value: FormValue, path: string): [string, string][] {
  if (typeof value !== 'object') return [[path, String(value)]]
  const entries: [string, FormValue][] = Array.isArray(value)
    ? value.map((item: FormValue, index) => [String(index), item])
    : Object.entries(value as Form)
  return entries.flatMap(([name, inner]) => pairs(inner, path === '' ? name : `${path}[${name}]`))
}
