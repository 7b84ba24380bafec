import type Stripe from 'stripe'

export type ErrorType = 'api_error' | 'card_error' | 'idempotency_error' | 'invalid_request_error'

export type ErrorDetails = {
  type: ErrorType
  message: string
  code?: string
  param?: string
  decline_code?: string
  advice_code?: string
  network_decline_code?: string
  charge?: string
  doc_url?: string
  payment_intent?: Stripe.PaymentIntent
  payment_method?: Stripe.PaymentMethod
  setup_intent?: Stripe.SetupIntent
}

/**
 * An error that Stripe would answer. `keepsEffects`: what was written stays (a decline leaves its rows).
 * `beforeExecution`: the request never ran, so no idempotency key remembers it.
 */
export class ApiError extends Error {
  override name = 'ApiError'
  readonly status: number
  readonly details: ErrorDetails
  readonly keepsEffects: boolean
  readonly beforeExecution: boolean
  readonly headers: Readonly<Record<string, string>>

  constructor(
    status: number,
    details: ErrorDetails,
    marks: { keepsEffects?: boolean; beforeExecution?: boolean; headers?: Record<string, string> } = {},
  ) {
    super(details.message)
    this.status = status
    this.details = details
    this.keepsEffects = marks.keepsEffects ?? false
    this.beforeExecution = marks.beforeExecution ?? false
    this.headers = marks.headers ?? {}
  }
}

export function docUrl(code: string): string {
  return `https://stripe.com/docs/error-codes/${code.replaceAll('_', '-')}`
}

/** A refusal while running: 400, remembered by the idempotency key. */
export function invalidRequest(message: string, details: Partial<ErrorDetails> = {}): ApiError {
  return new ApiError(400, { ...coded(details), message, type: 'invalid_request_error' })
}

/** A parameter that cannot be read: 400 before anything ran. */
export function invalidParameter(message: string, details: Partial<ErrorDetails> = {}): ApiError {
  return new ApiError(
    400,
    { ...coded(details), message, type: 'invalid_request_error' },
    { beforeExecution: true },
  )
}

export function missingParameter(param: string): ApiError {
  return invalidParameter(`Missing required param: ${param}.`, { code: 'parameter_missing', param })
}

/** 404 for an id in the path, 400 when `inBody`. */
export function noSuch(noun: string, id: string, where: { param: string; inBody?: boolean }): ApiError {
  return new ApiError(where.inBody ? 400 : 404, {
    code: 'resource_missing',
    doc_url: docUrl('resource_missing'),
    message: `No such ${noun}: '${id}'`,
    param: where.param,
    type: 'invalid_request_error',
  })
}

function coded(details: Partial<ErrorDetails>): Partial<ErrorDetails> {
  return details.code === undefined ? details : { ...details, doc_url: docUrl(details.code) }
}
