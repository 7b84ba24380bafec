import { createHmac } from 'node:crypto'

export type ExtensionConfig = {
  readonly url: string
  /** The key itself: the base64 behind `whsec_`. */
  readonly secret: Buffer
}

/** Null when it was taken in, else why not. */
export type ExtensionClient = { readonly send: (eventId: string, payload: Buffer) => Promise<string | null> }

const TIMEOUT_MS = 5000

/** Sends Stripe's own JSON, signed as https://www.standardwebhooks.com asks; `webhook-id` is the event's id on every try. */
export function createExtensionClient({ url, secret }: ExtensionConfig): ExtensionClient {
  return {
    send: async (eventId, payload) => {
      const timestamp = String(Math.floor(Date.now() / 1000))
      const signature = createHmac('sha256', secret)
        .update(`${eventId}.${timestamp}.`)
        .update(payload)
        .digest('base64')
      try {
        const response = await fetch(url, {
          method: 'POST',
          headers: {
            'content-type': 'application/json',
            'webhook-id': eventId,
            'webhook-timestamp': timestamp,
            'webhook-signature': `v1,${signature}`,
          },
          body: new Uint8Array(payload),
          redirect: 'manual',
          signal: AbortSignal.timeout(TIMEOUT_MS),
        })
        await response.body?.cancel()
        return response.ok ? null : `answered ${response.status}`
      } catch (error) {
        const { cause } = error as { cause?: { code?: string } }
        return cause?.code ?? (error instanceof Error ? error.name : 'unknown')
      }
    },
  }
}
