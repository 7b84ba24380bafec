import type { IncomingMessage } from 'node:http'

/** One call of the API as `stripe logs tail` shows it. */
export type RequestLog = {
  readonly created_at: number
  readonly livemode: false
  readonly method: string
  readonly request_id: string
  readonly status: number
  readonly url: string
  readonly error: Readonly<Record<string, string>>
}

/** What a terminal asked to see, in the names of Stripe's command line; nothing named is everything. */
export type LogFilter = Readonly<Record<string, readonly string[]>>

const ERROR_FIELDS = ['type', 'charge', 'code', 'decline_code', 'message', 'param']

/** Reads the filter of a session, which the command line sends as JSON. */
export function readFilter(text: string | null | undefined): LogFilter {
  if (!text) return {}
  try {
    const value = JSON.parse(text) as Record<string, unknown>
    return Object.fromEntries(
      Object.entries(value).map(([name, wanted]) => [
        name,
        [wanted]
          .flat()
          .map(String)
          .filter((item) => item !== ''),
      ]),
    )
  } catch {
    return {}
  }
}

export function passes(filter: LogFilter, entry: RequestLog): boolean {
  const path = entry.url.split('?')[0] ?? ''
  const checks: readonly (readonly [string, string])[] = [
    ['filter_http_method', entry.method],
    ['filter_request_path', path],
    ['filter_request_status', entry.status < 400 ? 'SUCCEEDED' : 'FAILED'],
    ['filter_status_code', String(entry.status)],
    ['filter_status_code_type', `${Math.floor(entry.status / 100)}XX`],
  ]
  return checks.every(([name, value]) => {
    const wanted = filter[name] ?? []
    return wanted.length === 0 || wanted.some((item) => item.toUpperCase() === value.toUpperCase())
  })
}

/** The log entry of a call that is being answered with `body`. */
export function requestLog(
  { method = '', url = '' }: IncomingMessage,
  answer: { status: number; requestId: string; body: string },
): RequestLog {
  return {
    created_at: Math.floor(Date.now() / 1000),
    livemode: false,
    method,
    request_id: answer.requestId,
    status: answer.status,
    url,
    error: answer.status < 400 ? {} : errorOf(answer.body),
  }
}

function errorOf(body: string): Record<string, string> {
  const { error = {} } = JSON.parse(body) as { error?: Record<string, unknown> }
  const known = Object.entries(error).filter(
    (entry): entry is [string, string] => ERROR_FIELDS.includes(entry[0]) && typeof entry[1] === 'string',
  )
  return Object.fromEntries(known)
}
