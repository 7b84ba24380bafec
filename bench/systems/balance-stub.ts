// Stripe's answer to the one question the gateway asks after a payment: what the fee was.
import { createServer } from 'node:http'

export async function startBalanceStub(): Promise<{
  readonly url: string
  readonly stop: () => Promise<void>
}> {
  const server = createServer((request, response) => {
    const id = (request.url ?? '').split('/').at(-1)?.split('?')[0]
    response.writeHead(200, { 'content-type': 'application/json' })
    response.end(
      JSON.stringify({
        id,
        object: 'balance_transaction',
        amount: 12_900,
        fee: 219,
        net: 12_681,
        currency: 'eur',
      }),
    )
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  const port = typeof address === 'object' && address !== null ? address.port : 0
  return {
    url: `http://127.0.0.1:${port}`,
    stop: async () => {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
