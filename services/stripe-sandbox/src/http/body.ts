import type { IncomingMessage } from 'node:http'
import { ApiError } from '../errors.ts'

/** What was sent with a call; a body that is none is empty, and no JSON. */
export type Body = { readonly text: string; readonly isJson: boolean }

const BODY_LENGTH_MAX = 1_048_576
const TYPES = /^(?:application\/x-www-form-urlencoded|application\/(json)|text\/plain)\s*(?:;|$)/i

/** Reads the whole body. Throws the 413 of one that is too long, and the 415 of one that is no form and no JSON. */
export async function readBody(request: IncomingMessage): Promise<Body> {
  const type = request.headers['content-type']
  const known = type === undefined ? [] : TYPES.exec(type)
  if (known === null) throw refusal(415, `Unsupported Media Type: ${type}`)
  const { promise, resolve, reject } = Promise.withResolvers<Body>()
  let text = ''
  request.setEncoding('utf8')
  request.on('data', (part: string) => {
    if (text.length + part.length > BODY_LENGTH_MAX) reject(refusal(413, 'Request body is too large'))
    else text += part
  })
  request.on('end', () => resolve({ text, isJson: known[1] !== undefined && text !== '' }))
  return promise
}

function refusal(status: number, message: string): ApiError {
  return new ApiError(status, { message, type: 'invalid_request_error' }, { beforeExecution: true })
}
