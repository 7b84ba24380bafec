import { Agent } from 'undici'
import type { Dispatcher } from 'undici'

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
 * Calls over connections that stay open, at most `connectionsMax` of them, for 0.6 of the processor time of `node:http`,
 * which takes a third of what `fetch` does. Rejects when no whole answer came within `timeoutMs`.
 */
export function createPut(options: {
  readonly connectionsMax: number
  readonly timeoutMs: number
  readonly answerBytesMax: number
}): Put {
  const { timeoutMs } = options
  const agent = new Agent({
    connections: options.connectionsMax,
    keepAliveTimeout: IDLE_MS_MAX,
    keepAliveMaxTimeout: IDLE_MS_MAX,
    connect: { timeout: timeoutMs },
    // One limit for the whole answer, below; these would begin anew with each part of it.
    headersTimeout: 0,
    bodyTimeout: 0,
  })

  return async (url, headers, body) => {
    const tooLate = new AbortController()
    const timer = setTimeout(() => tooLate.abort(new AnswerTimeout()), timeoutMs)
    try {
      const answer = await agent.request({
        ...addressOf(url),
        method: 'PUT',
        headers,
        body,
        signal: tooLate.signal,
      })
      const retryAfter = answer.headers['retry-after']
      return {
        status: answer.statusCode,
        retryAfter: typeof retryAfter === 'string' ? retryAfter : null,
        text: await readText(answer.body, options.answerBytesMax),
      }
    } finally {
      clearTimeout(timer)
    }
  }
}

function addressOf(url: string): { readonly origin: string; readonly path: string } {
  const { origin, pathname, search } = new URL(url)
  return { origin, path: pathname + search }
}

class AnswerTimeout extends Error {
  override name = 'TimeoutError'
}

function readText(answer: Dispatcher.ResponseData['body'], bytesMax: number): Promise<string> {
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
