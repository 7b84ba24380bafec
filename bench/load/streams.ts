// Many open status streams, held by raw sockets: what counts is what they cost the gateway, not what they cost here.
import { connect } from 'node:net'
import type { Socket } from 'node:net'
import { httpRequest } from './http-requests.ts'

export type OpenStreams = {
  /** How many answered with a first status. */
  readonly opened: () => number
  /** When each stream first told that its payment succeeded (performance.now()), 0: not yet. */
  readonly succeededAt: () => Float64Array
  readonly close: () => void
}

export type StreamsOrder = {
  readonly port: number
  readonly paths: readonly string[]
  readonly headers: Readonly<Record<string, string>>
  /** How many of the last ones never read again once they are open. */
  readonly deaf: number
}

// Browsers come one after the other, and the kernel's queue of new connections is finite.
const OPENING_AT_ONCE = 100
const OPEN_MS_MAX = 30_000

export async function openStreams(order: StreamsOrder): Promise<OpenStreams> {
  const succeededAt = new Float64Array(order.paths.length)
  const sockets: Socket[] = []
  let opened = 0
  const openOne = (path: string, index: number): Promise<void> =>
    new Promise((resolve, reject) => {
      const socket = connect({ host: '127.0.0.1', port: order.port, noDelay: true })
      sockets.push(socket)
      const late = setTimeout(() => reject(new Error(`the stream ${path} did not open`)), OPEN_MS_MAX)
      let isOpen = false
      socket.once('connect', () => socket.write(httpRequest('GET', path, order.headers)))
      socket.on('error', reject)
      socket.on('data', (chunk: Buffer) => {
        const text = chunk.toString('latin1')
        if (!isOpen && text.includes('event: status')) {
          isOpen = true
          opened += 1
          clearTimeout(late)
          if (index >= order.paths.length - order.deaf) socket.pause()
          resolve()
        }
        if (succeededAt[index] === 0 && text.includes('"status":"succeeded"'))
          succeededAt[index] = performance.now()
      })
    })
  for (let at = 0; at < order.paths.length; at += OPENING_AT_ONCE)
    await Promise.all(
      order.paths.slice(at, at + OPENING_AT_ONCE).map((path, index) => openOne(path, at + index)),
    )
  return {
    opened: () => opened,
    succeededAt: () => succeededAt,
    close: () => {
      for (const socket of sockets) socket.destroy()
    },
  }
}
