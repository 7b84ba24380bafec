import { ApiError } from '../errors.ts'

/** What a call may do: everything, or only what a payer's browser may with its payment's client secret. */
export type KeyKind = 'secret' | 'publishable'

/** Accepts any test key, Bearer or Basic; throws Stripe's 401 otherwise. Live keys are refused on purpose. */
export function authenticate(header: string | undefined): KeyKind {
  const key = keyOf(header)
  if (key === '') {
    throw unauthorized(
      "You did not provide an API key. You need to provide your API key in the Authorization header, using Bearer auth (e.g. 'Authorization: Bearer YOUR_SECRET_KEY'). See https://stripe.com/docs/api#authentication for details, or we can help at https://support.stripe.com/.",
    )
  }
  if (/^(sk|rk)_test_\w+$/.test(key)) return 'secret'
  if (/^pk_test_\w+$/.test(key)) return 'publishable'
  if (/^(sk|rk)_live_/.test(key)) {
    throw unauthorized(
      `Invalid API Key provided: ${masked(key)}. This is a sandbox: it never takes live keys.`,
    )
  }
  throw unauthorized(`Invalid API Key provided: ${masked(key)}`)
}

/** Stripe's 403 for a publishable key where a secret one is needed. */
export function secretKeyRequired(): ApiError {
  return new ApiError(
    403,
    {
      code: 'secret_key_required',
      message:
        'This API call cannot be made with a publishable API key. Please use a secret API key. You can find a list of your API keys at https://dashboard.stripe.com/account/apikeys.',
      type: 'invalid_request_error',
    },
    { beforeExecution: true },
  )
}

function keyOf(header: string | undefined): string {
  const [scheme, value] = (header ?? '').split(' ')
  if (value === undefined) return ''
  if (scheme?.toLowerCase() === 'bearer') return value
  if (scheme?.toLowerCase() !== 'basic') return ''
  return Buffer.from(value, 'base64').toString('utf8').split(':')[0] ?? ''
}

function masked(key: string): string {
  const prefix = /^[a-z]+_(?:test|live)_/.exec(key)?.[0] ?? ''
  return key.length > prefix.length + 8 ? `${prefix}***${key.slice(-4)}` : `${prefix}***`
}

function unauthorized(message: string): ApiError {
  return new ApiError(401, { message, type: 'invalid_request_error' }, { beforeExecution: true })
}
