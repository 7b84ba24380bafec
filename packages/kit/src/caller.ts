import type { FastifyRequest } from 'fastify'
import { createRemoteJWKSet, jwtVerify } from 'jose'
import type { JWTPayload, JWTVerifyGetKey, JWTVerifyOptions } from 'jose'
import { bearerOf } from './bearer.ts'
import { ApiError } from './errors.ts'
import type { HttpServer } from './http.ts'
import { addressKey } from './rate-limit.ts'
import type { RateLimiter } from './rate-limit.ts'
import { isOneOf } from './secret.ts'

/** Who makes a request: a customer (or operator) by JWT, or another service of the platform by its token. */
export type Caller =
  | {
      readonly kind: 'user'
      readonly customerId: string
      readonly isOperator: boolean
      readonly email: string | null
    }
  | { readonly kind: 'service' }

export type AuthConfig = {
  /** HS256 secrets: any is accepted, so that one can be rolled without signing anybody out. */
  readonly jwtSecrets: readonly string[]
  readonly jwksUrl: string | undefined
  readonly issuer: string | undefined
  readonly audience: string | undefined
  readonly serviceTokens: readonly string[]
}

export type CallerLimits = {
  /** Taken by a customer's every request. */
  readonly customers: RateLimiter
  /** Taken by an address's every request whose token is refused. A valid token is never refused for its neighbours. */
  readonly failures: RateLimiter
}

/** Tells who calls, or throws UNAUTHENTICATED or RATE_LIMITED; a request that is asked about again is answered the same. */
export type Authenticate = (request: FastifyRequest) => Promise<Caller>

const CLOCK_TOLERANCE_SECONDS = 5
const SUBJECT_CHARACTERS_MAX = 255
const JWKS_TIMEOUT_MS = 3000
// How soon an unknown key id may be looked up again. Longer would sign out everybody while keys rotate; shorter would let
// made-up ids hammer the key server.
const JWKS_COOLDOWN_MS = 1000

/**
 * Reads `Authorization: Bearer`. A service token is compared in constant time; anything else must be a JWT with an
 * expiry and a subject. The algorithms are pinned by how the key is configured, so a token cannot choose its own.
 * `ownKeys` are the keys of a service that signs tokens itself, used when no AUTH_JWT_SECRET is set.
 */
export function createAuthenticate(
  config: AuthConfig,
  { limits, ownKeys }: { limits: CallerLimits; ownKeys?: JWTVerifyGetKey | undefined },
): Authenticate {
  const identify = createIdentify(config, ownKeys)
  const authenticate: Authenticate = async (request) => {
    const caller = await identify(request).catch((error: unknown) => {
      if (error instanceof ApiError && error.code === 'UNAUTHENTICATED')
        refuseOverLimit(limits.failures.take(addressKey(request.ip)))
      throw error
    })
    if (caller.kind === 'user' && !caller.isOperator)
      refuseOverLimit(limits.customers.take(caller.customerId))
    return caller
  }
  const answers = new WeakMap<FastifyRequest, Promise<Caller>>()
  return (request) => {
    const answer = answers.get(request) ?? authenticate(request)
    answers.set(request, answer)
    return answer
  }
}

/** Has everybody who calls the routes of this scope sign in before anything of their request is read. */
export function requireCaller(scope: HttpServer, authenticate: Authenticate): void {
  scope.addHook('onRequest', async (request) => {
    await authenticate(request)
  })
}

/** Throws RATE_LIMITED when a limiter said how many seconds to wait. */
export function refuseOverLimit(waitSeconds: number | null): void {
  if (waitSeconds === null) return
  throw new ApiError('RATE_LIMITED', `Too many requests. Try again in ${waitSeconds} s.`, {
    retryAfterSeconds: waitSeconds,
  })
}

function createIdentify(config: AuthConfig, ownKeys: JWTVerifyGetKey | undefined): Authenticate {
  const verify = createVerify(config, ownKeys)
  return async (request) => {
    const token = bearerOf(request.headers.authorization)
    if (token === '') throw unauthenticated('Send a token: Authorization: Bearer <JWT>.')
    if (isOneOf(token, config.serviceTokens)) return { kind: 'service' }
    const payload = await verify(token)
    const customerId = payload.sub
    if (customerId === undefined || !isCustomerId(customerId))
      throw unauthenticated('The token names no customer (sub).')
    const roles: unknown = payload['roles']
    return {
      kind: 'user',
      customerId,
      isOperator: Array.isArray(roles) && roles.includes('operator'),
      email: typeof payload['email'] === 'string' ? payload['email'] : null,
    }
  }
}

/** PostgreSQL keeps every text but those with a NUL. */
function isCustomerId(subject: string): boolean {
  return subject !== '' && subject.length <= SUBJECT_CHARACTERS_MAX && !subject.includes('\0')
}

function createVerify(
  config: AuthConfig,
  ownKeys: JWTVerifyGetKey | undefined,
): (token: string) => Promise<JWTPayload> {
  const claims = {
    clockTolerance: CLOCK_TOLERANCE_SECONDS,
    requiredClaims: ['exp', 'sub'],
    ...(config.issuer === undefined ? {} : { issuer: config.issuer }),
    ...(config.audience === undefined ? {} : { audience: config.audience }),
  }
  const secrets = config.jwtSecrets.map((secret) => new TextEncoder().encode(secret))
  const keys: JWTVerifyGetKey | undefined =
    config.jwksUrl === undefined
      ? ownKeys
      : createRemoteJWKSet(new URL(config.jwksUrl), {
          timeoutDuration: JWKS_TIMEOUT_MS,
          cooldownDuration: JWKS_COOLDOWN_MS,
        })
  return async (token) => {
    try {
      if (secrets.length > 0) return await verifyWithAny(token, secrets, claims)
      if (keys !== undefined)
        return (await jwtVerify(token, keys, { ...claims, algorithms: ['RS256', 'ES256', 'EdDSA'] })).payload
    } catch (error) {
      if (isKeyServerAway(error))
        throw new ApiError(
          'SERVICE_UNAVAILABLE',
          'The sign-in keys cannot be fetched right now. Try again in a moment.',
          {
            cause: error,
            retryAfterSeconds: 2,
          },
        )
      throw unauthenticated('The token is not valid or has expired. Sign in again.', error)
    }
    throw unauthenticated('No user can sign in: this service has no AUTH_JWT_SECRET and no AUTH_JWKS_URL.')
  }
}

/** The claims of a token that one of the secrets signed; throws what the last one says when none did. */
async function verifyWithAny(
  token: string,
  secrets: readonly Uint8Array[],
  claims: JWTVerifyOptions,
): Promise<JWTPayload> {
  let problem: unknown
  for (const secret of secrets)
    try {
      return (await jwtVerify(token, secret, { ...claims, algorithms: ['HS256'] })).payload
    } catch (error) {
      problem = error
    }
  throw problem
}

// No answer in time, an answer that is no JSON or no 200, and JSON that holds no keys.
const KEY_SERVER_CODES: ReadonlySet<string> = new Set([
  'ERR_JWKS_TIMEOUT',
  'ERR_JOSE_GENERIC',
  'ERR_JWKS_INVALID',
])

// A token that is wrong is told apart from keys that cannot be had: the second is our trouble and worth a retry.
function isKeyServerAway(error: unknown): boolean {
  if (!(error instanceof Error)) return false
  const code = (error as { code?: unknown }).code
  return (typeof code === 'string' && KEY_SERVER_CODES.has(code)) || error.name === 'TypeError'
}

function unauthenticated(sentence: string, cause?: unknown): ApiError {
  return new ApiError('UNAUTHENTICATED', sentence, { cause })
}
