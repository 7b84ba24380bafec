import type { ServerResponse } from 'node:http'
import { ApiError } from '../errors.ts'
import { inProgress } from '../http/idempotency.ts'
import type { ApiFault } from './fault.ts'

/** The error of a call that is refused before it runs, or undefined when the fault strikes elsewhere. */
export function refusalOf(fault: ApiFault, key: string | null): ApiError | undefined {
  const marks = { beforeExecution: true }
  switch (fault) {
    case 'rate_limit':
      return new ApiError(
        429,
        {
          code: 'rate_limit',
          message:
            'Request rate limit exceeded. You can learn more about rate limits here https://stripe.com/docs/rate-limits.',
          type: 'invalid_request_error',
        },
        { ...marks, headers: { 'Stripe-Rate-Limited-Reason': 'global-rate' } },
      )
    case 'lock_timeout':
      return new ApiError(
        429,
        {
          code: 'lock_timeout',
          message:
            'This object cannot be accessed right now because another API request or Stripe process is currently accessing it. If you see this error intermittently, retry the request. If you see this error frequently and are making multiple concurrent requests to a single object, make your requests serially or at a lower rate.',
          type: 'invalid_request_error',
        },
        { ...marks, headers: { 'Stripe-Should-Retry': 'true' } },
      )
    case 'conflict':
      return inProgress(key ?? 'none')
    default:
      return undefined
  }
}

/** The 500 that says nothing about whether the call took effect. */
export const INDETERMINATE = new ApiError(500, {
  message: 'Sorry! There was an error while talking to one of our backends. Support has been notified.',
  type: 'api_error',
})

/** Cuts the connection without an answer. */
export function resetConnection(response: ServerResponse): void {
  response.socket?.resetAndDestroy()
}

/** Announces the whole body, sends half of it and hangs up. */
export function truncateAnswer(response: ServerResponse, answer: { status: number; body: string }): void {
  response.writeHead(answer.status, {
    'Content-Type': 'application/json',
    'Content-Length': Buffer.byteLength(answer.body),
  })
  response.write(answer.body.slice(0, Math.floor(answer.body.length / 2)), () => response.socket?.destroy())
}
