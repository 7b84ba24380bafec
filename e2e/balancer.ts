import { connect, createServer } from 'node:net'
import type { Socket } from 'node:net'

/** A TCP balancer as small as they come: new connections go to processes whose /readyz says yes, in turn. */
export type Balancer = {
  readonly url: string
  readonly add: (backend: { readonly url: string; readonly port: number }) => void
  readonly remove: (port: number) => void
  /** The ports it would send the next connections to. */
  readonly ready: () => readonly number[]
  readonly stop: () => Promise<void>
}

const LOOK_EVERY_MS = 100

export async function startBalancer(port = 0): Promise<Balancer> {
  const backends = new Map<number, { readonly url: string; isReady: boolean }>()
  let turn = 0
  const ready = (): number[] => [...backends].filter(([, { isReady }]) => isReady).map(([port]) => port)

  const look = async (): Promise<void> => {
    await Promise.all(
      [...backends.values()].map(async (backend) => {
        const answer = await fetch(`${backend.url}/readyz`, { signal: AbortSignal.timeout(1000) }).catch(
          () => null,
        )
        await answer?.body?.cancel()
        backend.isReady = answer?.ok === true
      }),
    )
  }
  const timer = setInterval(() => void look(), LOOK_EVERY_MS)
  const open = new Set<Socket>()
  const server = createServer((client) => {
    const ports = ready()
    const target = ports[(turn += 1) % ports.length]
    if (target === undefined) client.destroy()
    else join(client, connect(target, '127.0.0.1'), open)
  })
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve))
  const address = server.address()
  const at = typeof address === 'object' && address !== null ? address.port : 0
  return {
    url: `http://127.0.0.1:${at}`,
    add: ({ url, port }) => void backends.set(port, { url, isReady: false }),
    remove: (port) => void backends.delete(port),
    ready,
    stop: async () => {
      clearInterval(timer)
      for (const socket of open) socket.destroy()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

/** What one sends the other receives; when one is gone so is the other. */
function join(client: Socket, backend: Socket, open: Set<Socket>): void {
  for (const socket of [client, backend]) {
    open.add(socket)
    socket.on('error', () => {})
    socket.on('close', () => {
      open.delete(socket)
      client.destroy()
      backend.destroy()
    })
  }
  client.pipe(backend).pipe(client)
}
