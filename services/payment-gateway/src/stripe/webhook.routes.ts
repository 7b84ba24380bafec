import type { HttpServer } from '@passerelle/kit/http'
import { addressKey } from '@passerelle/kit/rate-limit'
import type { RateLimiter } from '@passerelle/kit/rate-limit'
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Allowlist } from './allowlist.ts'
import { parseEvent } from './event.ts'
import { DatabaseAway, InboxFull } from './inbox.ts'
import type { Inbox } from './inbox.ts'
import { checkSignature } from './signature.ts'
import type { SignatureProblem } from './signature.ts'

export type WebhookRoutesDeps = {
  readonly inbox: Inbox
  readonly secrets: readonly string[]
  readonly livemode: boolean
  /** Who may call at all; null: anybody with the signature. */
  readonly allowlist: Allowlist | null
  /** Taken only by what fails the signature: a verified event is never refused for its sender's or neighbour's number. */
  readonly failures: RateLimiter
  /** Told after the answer is certain, where traces are collected. */
  readonly onTaken?: (event: { readonly id: string; readonly type: string; readonly startedAt: Date }) => void
  readonly onRefused?: (because: SignatureProblem | 'wrong_mode' | 'address' | 'rate_limited') => void
}

// The largest event of a payment is under 6 kB (a dispute with evidence some more); Stripe's own snapshot events of
// other products stay far below this.
const EVENT_BYTES_MAX = 1024 * 1024

const PROBLEM: Record<SignatureProblem, string> = {
  missing: 'No Stripe-Signature header.',
  malformed: 'The Stripe-Signature header is malformed.',
  mismatch: 'The signature does not match: wrong secret, or the body was changed on its way.',
  too_old: 'The signature is too old. Check the clocks.',
  in_the_future: 'The signature is from the future. Check the clocks.',
}

/**
 * The door for Stripe's events. The signature is checked on the raw bytes before anything else, so unsigned traffic
 * touches neither the database nor the queue; a 2xx leaves only after the commit.
 */
export function webhookRoutes(parent: HttpServer, deps: WebhookRoutesDeps): void {
  void parent.register(async (server) => {
    server.removeAllContentTypeParsers()
    server.addContentTypeParser(
      '*',
      { parseAs: 'buffer', bodyLimit: EVENT_BYTES_MAX },
      (_request, body, done) => {
        done(null, body)
      },
    )
    server.setErrorHandler((error: { statusCode?: number; code?: string }, request, reply) => {
      if (error.statusCode === 413)
        return refuse(reply, 413, `The body is larger than ${EVENT_BYTES_MAX} bytes.`)
      if (error.statusCode !== undefined && error.statusCode < 500)
        return refuse(reply, 400, 'The request is malformed.')
      // Nothing was acknowledged: Stripe sends it again. Why is in the log, not in the answer.
      if (!(error instanceof DatabaseAway)) request.log.error({ err: error }, 'webhook.not_stored')
      return refuse(
        reply.header('retry-after', '1'),
        error instanceof InboxFull ? 503 : 500,
        'The event was not stored. Send it again.',
      )
    })

    server.post(
      '/webhooks/stripe',
      { bodyLimit: EVENT_BYTES_MAX, config: { quiet: true } },
      async (request, reply) => {
        if (deps.allowlist !== null && !deps.allowlist.allows(request.ip)) {
          deps.onRefused?.('address')
          return refuse(reply, 403, 'This address may not deliver events.')
        }
        const payload = Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0)
        const signature = checkSignature(
          payload,
          request.headers['stripe-signature'],
          deps.secrets,
          Date.now() / 1000,
        )
        if (!signature.valid) return refuseUnsigned(request, reply, { ...deps, because: signature.because })
        const event = parseEvent(payload)
        if (event === null) return refuse(reply, 400, 'The body is no Stripe event.')
        if (event.livemode !== deps.livemode) {
          request.log.error({ eventId: event.id, livemode: event.livemode }, 'webhook.wrong_mode')
          deps.onRefused?.('wrong_mode')
          return refuse(reply, 400, `This endpoint takes events with livemode ${deps.livemode} only.`)
        }
        const startedAt = deps.onTaken === undefined ? null : new Date()
        await deps.inbox.receive({ event, payload })
        if (startedAt !== null) deps.onTaken?.({ id: event.id, type: event.type, startedAt })
        return reply.code(200).send({ received: true })
      },
    )
  })
}

/** Beyond the address's limit a refusal costs neither a log line nor a place on the disk. */
function refuseUnsigned(
  request: FastifyRequest,
  reply: FastifyReply,
  {
    because,
    failures,
    onRefused,
  }: Pick<WebhookRoutesDeps, 'failures' | 'onRefused'> & { because: SignatureProblem },
): FastifyReply {
  const waitSeconds = failures.take(addressKey(request.ip))
  onRefused?.(waitSeconds === null ? because : 'rate_limited')
  if (waitSeconds !== null)
    return refuse(
      reply.header('retry-after', String(waitSeconds)),
      429,
      'Too many requests without a valid signature.',
    )
  request.log.warn({ because, ip: request.ip }, 'webhook.refused')
  return refuse(reply, 400, PROBLEM[because])
}

function refuse(reply: FastifyReply, status: number, error: string): FastifyReply {
  return reply.code(status).send({ error })
}
