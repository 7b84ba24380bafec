import type { IncomingMessage } from 'node:http'
import { ApiError } from '../errors.ts'

const BODY_LENGTH_MAX = 1_048_576
const TYPES = /^(application\/x-www-form-urlencoded|application\/json|text\/plain)\s*(;|$)/i

/** The whole body as text. Throws the 413 of one that is too long, and the 415 of one that is no form and no JSON. */
export async function readBody(request: IncomingMessage): Promise<string> {
  const type = request.headers['content-type']
  if (type !== undefined && !TYPES.test(type)) throw refusal(415, `Unsupported Media Type: ${type}`)
  const { promise, resolve, reject } = Promise.withResolvers<string>()
  let body = ''
  request.setEncoding('utf8')
  request.on('data', (text: string) => {
    if (body.length + text.length > BODY_LENGTH_MAX) reject(refusal(413, 'Request body is too large'))
    else body += text
  })
  request.on('end', () => resolve(body))
  return promise
}

function refusal(status: number, message: string): ApiError {
  return new ApiError(status, { message, type: 'invalid_request_error' }, { beforeExecution: true })
}
