// What stands before the gateways: a TCP balancer that passes each connection on to one that accepts it.
import { connect, createServer } from 'node:net'
import type { Socket } from 'node:net'
import type { Random } from './random.ts'

export type Balancer = {
  readonly url: string
  /** Cuts every connection that is open, in the middle of whatever it carries; returns how many. */
  readonly cutAll: () => number
  readonly stop: () => Promise<void>
}

/** Listens on a free port. A backend that refuses is skipped; when all refuse the client's connection is reset. */
export async function startBalancer(ports: readonly number[], random: Random): Promise<Balancer> {
  const open = new Set<Socket>()
  const server = createServer((client) => {
    track(open, client)
    client.on('error', () => {})
    void passOn(client, random.shuffled(ports), open)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  const port = typeof address === 'object' && address !== null ? address.port : 0
  const cutAll = (): number => {
    const cut = open.size
    for (const socket of open) socket.resetAndDestroy()
    return cut
  }
  return {
    url: `http://127.0.0.1:${port}`,
    cutAll,
    stop: async () => {
      const closed = new Promise((resolve) => server.close(resolve))
      cutAll()
      await closed
    },
  }
}

async function passOn(client: Socket, ports: readonly number[], open: Set<Socket>): Promise<void> {
  for (const port of ports) {
    const backend = await tryToConnect(port)
    if (backend === null) continue
    track(open, backend)
    backend.on('error', () => client.resetAndDestroy())
    backend.on('close', () => client.destroy())
    client.on('close', () => backend.destroy())
    if (client.destroyed) return void backend.destroy()
    client.pipe(backend)
    backend.pipe(client)
    return
  }
  client.resetAndDestroy()
}

function tryToConnect(port: number): Promise<Socket | null> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1' })
    socket.once('connect', () => resolve(socket))
    socket.once('error', () => resolve(null))
  })
}

function track(open: Set<Socket>, socket: Socket): void {
  open.add(socket)
  socket.once('close', () => open.delete(socket))
}
