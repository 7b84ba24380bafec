import type { ErrorBody, ErrorCode } from '@passerelle/contracts/envelope'

/** Why a call gave no data. `NETWORK`: no answer at all. `UNREADABLE`: an answer that is not ours, such as a proxy's page. */
export type ProblemCode = ErrorCode | 'NETWORK' | 'UNREADABLE'

export class ApiError extends Error {
  override name = 'ApiError'
  readonly code: ProblemCode
  readonly status: number
  /** Names this call in the services' logs; null when no service answered. */
  readonly requestId: string | null

  constructor(problem: { code: ProblemCode; status: number; requestId: string | null }) {
    super(problem.code)
    this.code = problem.code
    this.status = problem.status
    this.requestId = problem.requestId
  }
}

export type RequestOptions = {
  readonly method?: 'GET' | 'POST'
  readonly body?: unknown
  readonly jwt?: string
  readonly idempotencyKey?: string
  readonly credentials?: RequestCredentials
  readonly signal?: AbortSignal | undefined
}

// Longer than the gateway's own limit for a call to Stripe, so that its sentence arrives instead of our silence.
const CALL_TIMEOUT_MS = 30_000

/** The `data` of a successful answer. Rejects with an ApiError for everything else. */
export async function requestData<T>(url: string, options: RequestOptions = {}): Promise<T> {
  const limit = AbortSignal.timeout(CALL_TIMEOUT_MS)
  const headers = new Headers({ accept: 'application/json' })
  if (options.jwt) headers.set('authorization', `Bearer ${options.jwt}`)
  if (options.idempotencyKey) headers.set('idempotency-key', options.idempotencyKey)
  if (options.body !== undefined) headers.set('content-type', 'application/json')
  const init: RequestInit = {
    method: options.method ?? 'GET',
    headers,
    credentials: options.credentials ?? 'omit',
    signal: options.signal ? AbortSignal.any([options.signal, limit]) : limit,
  }
  if (options.body !== undefined) init.body = JSON.stringify(options.body)
  let response: Response
  try {
    response = await fetch(url, init)
  } catch (cause) {
    if (options.signal?.aborted) throw cause
    throw new ApiError({ code: 'NETWORK', status: 0, requestId: null })
  }
  return await dataOf<T>(response)
}

async function dataOf<T>(response: Response): Promise<T> {
  const body = (await response.json().catch(() => null)) as { success: true; data: T } | ErrorBody | null
  if (body?.success === true) return body.data
  const error = body?.success === false ? body.error : null
  throw new ApiError({
    code: error ? (error.code as ProblemCode) : 'UNREADABLE',
    status: response.status,
    requestId: error?.requestId ?? response.headers.get('x-request-id'),
  })
}

/** Whether the same call may well succeed a moment later. */
export function isPassing(error: unknown): boolean {
  return error instanceof ApiError && (error.status === 0 || error.status === 429 || error.status >= 500)
}
