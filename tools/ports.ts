import { createServer } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { StartError } from '@passerelle/kit/service'

/** Whether a port can be listened on; `forbidden` when this user may not. */
type PortState = 'free' | 'taken' | 'forbidden'

// Processes that were just killed give their ports back within this.
const RELEASE_MS_MAX = 1500
const RELEASE_POLL_MS = 100

/** A port that nothing listens on at this moment. */
export async function freePort(host: string): Promise<number> {
  return await new Promise((resolve, reject) => {
    const server = createServer()
    server.once('error', reject)
    server.listen(0, host, () => {
      const address = server.address()
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0))
    })
  })
}

/** Throws one StartError that names every port that cannot be used and the variable that changes it. */
export async function checkPorts(
  host: string,
  ports: readonly { readonly part: string; readonly port: number; readonly variable: string }[],
): Promise<void> {
  const problems: string[] = []
  for (const { part, port, variable } of ports) {
    const state = await settledState(host, port)
    if (state === 'taken')
      problems.push(
        `port ${port} (${part}) is taken by another process. Stop that process, or choose another port: ${variable}=${port < 64_000 ? port + 1000 : port - 1000} npm start`,
      )
    if (state === 'forbidden')
      problems.push(
        `port ${port} (${part}) is not for this user. Choose one above 1023: ${variable}=8${String(port).padStart(3, '0')} npm start`,
      )
  }
  if (problems.length > 0) throw new StartError(problems.join('\n  '))
}

async function settledState(host: string, port: number): Promise<PortState> {
  const deadline = performance.now() + RELEASE_MS_MAX
  for (;;) {
    const states = await Promise.all(addressesOf(host).map((address) => stateOf(address, port)))
    const state = states.find((found) => found !== 'free') ?? 'free'
    if (state !== 'taken' || performance.now() > deadline) return state
    await sleep(RELEASE_POLL_MS)
  }
}

/** A browser may take `localhost` for ::1, where another program may answer although 127.0.0.1 is free. */
function addressesOf(host: string): readonly string[] {
  return host === '127.0.0.1' || host === 'localhost' ? ['127.0.0.1', '::1'] : [host]
}

function stateOf(address: string, port: number): Promise<PortState> {
  return new Promise((resolve, reject) => {
    const server = createServer()
    server.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EADDRINUSE') resolve('taken')
      else if (error.code === 'EACCES') resolve('forbidden')
      // A machine without IPv6.
      else if (address === '::1') resolve('free')
      else if (error.code === 'EADDRNOTAVAIL' || error.code === 'ENOTFOUND')
        reject(new StartError(`this machine has no address ${address}. Change HOST.`))
      else reject(error)
    })
    server.listen({ port, host: address, exclusive: true }, () => server.close(() => resolve('free')))
  })
}
