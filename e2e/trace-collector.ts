// A collector of traces: takes OTLP over HTTP as protobuf, as any real one does, and keeps what it was told.
import { createServer } from 'node:http'
import type { IncomingHttpHeaders } from 'node:http'

export type CollectedSpan = {
  readonly traceId: string
  readonly spanId: string
  readonly parentId: string
  readonly name: string
  /** The `service.name` of the process that made it. */
  readonly service: string
  readonly attributes: Readonly<Record<string, string>>
  readonly resource: Readonly<Record<string, string>>
  readonly isFailed: boolean
  readonly links: readonly string[]
}

export type TraceCollector = {
  readonly url: string
  readonly spans: () => readonly CollectedSpan[]
  /** The headers and the raw body of every request, for looking for what must not be there. */
  readonly requests: readonly {
    readonly path: string
    readonly headers: IncomingHttpHeaders
    readonly body: Buffer
  }[]
  readonly stop: () => Promise<void>
}

export async function startTraceCollector(): Promise<TraceCollector> {
  const requests: { path: string; headers: IncomingHttpHeaders; body: Buffer }[] = []
  const server = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      requests.push({ path: request.url ?? '', headers: request.headers, body: Buffer.concat(chunks) })
      response.writeHead(200, { 'content-type': 'application/x-protobuf' }).end()
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  const port = typeof address === 'object' && address !== null ? address.port : 0
  return {
    url: `http://127.0.0.1:${port}`,
    requests,
    spans: () => requests.flatMap(({ body }) => spansOf(body)),
    stop: async () => {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

/** The fields of a protobuf message: bytes for what has a length, else the number; fixed 64-bit fields are left out. */
function fieldsOf(message: Buffer): Map<number, (Buffer | number)[]> {
  const fields = new Map<number, (Buffer | number)[]>()
  let at = 0
  const varint = (): number => {
    let value = 0
    for (let shift = 0; ; shift += 7) {
      const byte = message[at++] ?? 0
      value += (byte & 0x7f) * 2 ** shift
      if (byte < 0x80) return value
    }
  }
  while (at < message.length) {
    const key = varint()
    const kind = key & 7
    if (kind === 1) at += 8
    else if (kind === 5) at += 4
    else {
      const value = varint()
      const bytes = kind === 2 ? message.subarray(at, (at += value)) : value
      fields.set(key >> 3, [...(fields.get(key >> 3) ?? []), bytes])
    }
  }
  return fields
}

const messages = (fields: ReturnType<typeof fieldsOf>, number: number): Buffer[] =>
  (fields.get(number) ?? []).filter((value) => Buffer.isBuffer(value))
const text = (fields: ReturnType<typeof fieldsOf>, number: number): string =>
  messages(fields, number)[0]?.toString() ?? ''
const hex = (fields: ReturnType<typeof fieldsOf>, number: number): string =>
  messages(fields, number)[0]?.toString('hex') ?? ''

// The numbers are those of opentelemetry-proto's trace.proto, common.proto and trace_service.proto.
function spansOf(request: Buffer): CollectedSpan[] {
  return messages(fieldsOf(request), 1).flatMap((resourceSpans) => {
    const fields = fieldsOf(resourceSpans)
    const resource = attributesOf(fieldsOf(messages(fields, 1)[0] ?? Buffer.alloc(0)), 1)
    return messages(fields, 2)
      .flatMap((scopeSpans) => messages(fieldsOf(scopeSpans), 2))
      .map((span) => spanOf(fieldsOf(span), resource))
  })
}

function spanOf(span: ReturnType<typeof fieldsOf>, resource: Record<string, string>): CollectedSpan {
  const status = fieldsOf(messages(span, 15)[0] ?? Buffer.alloc(0))
  return {
    traceId: hex(span, 1),
    spanId: hex(span, 2),
    parentId: hex(span, 4),
    name: text(span, 5),
    service: resource['service.name'] ?? '',
    attributes: attributesOf(span, 9),
    resource,
    isFailed: status.get(3)?.[0] === 2,
    links: messages(span, 13).map((link) => hex(fieldsOf(link), 1)),
  }
}

function attributesOf(fields: ReturnType<typeof fieldsOf>, number: number): Record<string, string> {
  return Object.fromEntries(
    messages(fields, number).map((pair) => {
      const entry = fieldsOf(pair)
      const value = fieldsOf(messages(entry, 2)[0] ?? Buffer.alloc(0))
      const first = [...value.values()][0]?.[0]
      return [text(entry, 1), String(first ?? '')]
    }),
  )
}
