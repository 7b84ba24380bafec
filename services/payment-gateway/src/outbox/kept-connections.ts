import { Agent as HttpAgent, request as httpRequest } from 'node:http'
import type { ClientRequest, IncomingMessage } from 'node:http'
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https'

/** Sends a PUT and resolves with the answer; `text` is its body, empty when that is longer than was asked for. */
export type Put = (
  url: string,
  headers: Readonly<Record<string, string>>,
  body: string,
) => Promise<{ readonly status: number; readonly retryAfter: string | null; readonly text: string }>

// Below what servers keep idle connections for (5 s in Node, more elsewhere): we close first, and never write into a
// connection that the other side is closing.
const IDLE_MS_MAX = 4000

/**
 * Calls over connections that stay open, at most `connectionsMax` of them. `fetch` costs three times the processor time,
 * and dropping its body drops the connection. Rejects when no whole answer came within `timeoutMs`.
 */
export function createPut(options: {
  readonly connectionsMax: number
  readonly timeoutMs: number
  readonly answerBytesMax: number
}): Put {
  const settings = { keepAlive: true, maxSockets: options.connectionsMax, timeout: IDLE_MS_MAX }
  const http = new HttpAgent(settings)
  const https = new HttpsAgent(settings)

  return (url, headers, body) => {
    const { promise, resolve, reject } = Promise.withResolvers<Awaited<ReturnType<Put>>>()
    const wanted = { method: 'PUT', headers: { ...headers, 'content-length': Buffer.byteLength(body) } }
    const call: ClientRequest = url.startsWith('https:')
      ? httpsRequest(url, { ...wanted, agent: https })
      : httpRequest(url, { ...wanted, agent: http })
    const late = setTimeout(() => call.destroy(new AnswerTimeout()), options.timeoutMs)
    call.once('error', (error) => {
      clearTimeout(late)
      reject(error)
    })
    call.once('response', (answer: IncomingMessage) => {
      const status = answer.statusCode ?? 0
      const retryAfter = answer.headers['retry-after'] ?? null
      readText(answer, options.answerBytesMax)
        .then((text) => resolve({ status, retryAfter, text }), reject)
        .finally(() => clearTimeout(late))
    })
    call.end(body)
    return promise
  }
}

class AnswerTimeout extends Error {
  override name = 'TimeoutError'
}

function readText(answer: IncomingMessage, bytesMax: number): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>()
  const chunks: Buffer[] = []
  let bytes = 0
  answer.on('data', (chunk: Buffer) => {
    bytes += chunk.length
    chunks.push(chunk)
    if (bytes <= bytesMax) return
    resolve('')
    answer.destroy()
  })
  answer.once('end', () => resolve(Buffer.concat(chunks).toString()))
  answer.once('error', reject)
  return promise
}
