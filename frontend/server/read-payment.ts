import { gatewaySource } from '@passerelle/client/gateway-source'
import type { Known, Payment, VerificationState } from '@passerelle/client/payment'
import type { Verification } from '@passerelle/client/payment'
import type { ReadOutcome } from '@passerelle/client/watch-payment'
import { traceHeaders } from '@passerelle/kit/tracing'
import type { Tracing } from '@passerelle/kit/tracing'

// A payer waits in front of a white page for this. What is not known by then, the page asks for itself.
const READ_MS_MAX = 2000

type Asked = {
  readonly gatewayUrl: string
  readonly bookingId: string
  readonly sessionId: string | null
  readonly statusToken: string
  /** The payer's own, so that the gateway's limits count payers and not this server. */
  readonly address: string
  readonly tracing: Tracing
}

/**
 * What the gateway knows of a payment while its page is made; a return asks Stripe too, which heals a lost webhook.
 * Null when the gateway did not answer in time.
 */
export async function readPayment(
  asked: Asked,
  options: { readonly verifies: boolean },
): Promise<Known | null> {
  const signal = AbortSignal.timeout(READ_MS_MAX)
  const { address, tracing, ...access } = asked
  const source = gatewaySource({
    ...access,
    ...options,
    sessionId: options.verifies ? asked.sessionId : null,
    headers: { ...forwardedFor(address), ...traceHeaders(tracing) },
  })
  // First Stripe, then the status: so the status tells what Stripe said.
  const verified = source.verify ? await source.verify(signal) : null
  const status = await source.readStatus(signal)
  if (status.kind !== 'answer') return null
  return { payment: status.value, verification: stateOf(verified) }
}

function stateOf(outcome: ReadOutcome<Verification> | null): VerificationState {
  if (outcome === null) return { state: 'none' }
  return outcome.kind === 'answer' ? { state: 'answered', answer: outcome.value } : { state: outcome.kind }
}

/** The payment a status token opens: `unknown` when none, `unavailable` when the gateway did not answer in time. */
export async function readByToken({
  gatewayUrl,
  statusToken,
  address,
  tracing,
}: Pick<Asked, 'gatewayUrl' | 'statusToken' | 'address' | 'tracing'>): Promise<
  Payment | 'unknown' | 'unavailable'
> {
  const url = `${gatewayUrl}/api/v1/payment-gateway/status?token=${encodeURIComponent(statusToken)}`
  try {
    const response = await fetch(url, {
      headers: { ...forwardedFor(address), ...traceHeaders(tracing) },
      signal: AbortSignal.timeout(READ_MS_MAX),
    })
    if (response.status === 400 || response.status === 404) return 'unknown'
    const body = (await response.json()) as { data?: Payment }
    return response.ok && body.data ? body.data : 'unavailable'
  } catch {
    return 'unavailable'
  }
}

function forwardedFor(address: string): Record<string, string> {
  return { 'x-forwarded-for': address }
}
