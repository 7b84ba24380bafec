export type StreamEvent = { readonly name: string; readonly data: string }

// The gateway says something every 15 s. Two missed heartbeats mean that nobody is there any more.
const SILENCE_MS_MAX = 40_000
// A proxy that holds back the first event would hold back the payer: polling takes over.
const FIRST_BYTES_MS_MAX = 2500

/**
 * Reads Server-Sent Events until the stream ends, and rejects when it goes silent. `fetch` instead of EventSource,
 * because that one hides the HTTP status and cannot send the payer's JWT.
 */
export async function readEvents(
  body: ReadableStream<Uint8Array>,
  { onEvent, onBytes }: { readonly onEvent: (event: StreamEvent) => void; readonly onBytes?: () => void },
): Promise<void> {
  const reader = body.getReader()
  const decoder = new TextDecoder()
  const parse = createEventParser(onEvent)
  let silenceMsMax = FIRST_BYTES_MS_MAX
  for (;;) {
    const { done, value } = await withLimit(reader.read(), silenceMsMax)
    if (done) return
    onBytes?.()
    parse(decoder.decode(value, { stream: true }))
    silenceMsMax = SILENCE_MS_MAX
  }
}

/** A function that takes the stream's text piece by piece and calls back once per complete event. Comments are skipped. */
export function createEventParser(onEvent: (event: StreamEvent) => void): (text: string) => void {
  let rest = ''
  let name = ''
  let data: string[] = []

  function takeLine(line: string): void {
    if (line === '') {
      if (data.length > 0) onEvent({ name: name || 'message', data: data.join('\n') })
      name = ''
      data = []
      return
    }
    const colon = line.indexOf(':')
    const field = colon === -1 ? line : line.slice(0, colon)
    const value = colon === -1 ? '' : line.slice(colon + 1).replace(/^ /, '')
    if (field === 'event') name = value
    if (field === 'data') data.push(value)
  }

  return (text) => {
    rest += text
    // A lone CR at the end may be the first half of CRLF: it waits for the next piece.
    const lines = rest.split(/\r\n|\n|\r(?!$)/)
    rest = lines.pop() ?? ''
    for (const line of lines) takeLine(line)
  }
}

async function withLimit<T>(promise: Promise<T>, limitMs: number): Promise<T> {
  const { promise: late, reject } = Promise.withResolvers<never>()
  const timer = setTimeout(() => reject(new Error(`silent for ${limitMs} ms`)), limitMs)
  try {
    return await Promise.race([promise, late])
  } finally {
    clearTimeout(timer)
  }
}
