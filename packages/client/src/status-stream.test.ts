import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { createEventParser, readEvents } from './status-stream.ts'
import type { StreamEvent } from './status-stream.ts'

function parsed(pieces: readonly string[]): StreamEvent[] {
  const events: StreamEvent[] = []
  const parse = createEventParser((event) => events.push(event))
  for (const piece of pieces) parse(piece)
  return events
}

test('an event is read the same however the network cut it, with any line ending', () => {
  const text = ': heartbeat\n\nid: 3\nevent: status\ndata: {"a":\ndata: 1}\n\nevent: status\ndata: é\n\n'
  const expected = [
    { name: 'status', data: '{"a":\n1}' },
    { name: 'status', data: 'é' },
  ]
  fc.assert(
    fc.property(fc.constantFrom('\n', '\r\n', '\r'), fc.array(fc.nat(80)), (ending, cuts) => {
      const whole = text.replaceAll('\n', ending)
      const places = [0, ...cuts.map((cut) => cut % whole.length).sort((a, b) => a - b), whole.length]
      const pieces = places.slice(1).map((place, index) => whole.slice(places[index], place))
      const events = parsed(ending === '\r' ? [...pieces, ':'] : pieces)
      assert.deepEqual(events, expected)
    }),
  )
})

test('an event that never ended is not told', () => {
  assert.deepEqual(parsed(['event: status\ndata: {}\n']), [])
})

test('characters cut in half by the network arrive whole', async () => {
  const bytes = new TextEncoder().encode('data: 12,50 €\n\n')
  const events: StreamEvent[] = []
  const body = new ReadableStream<Uint8Array>({
    start(controller) {
      for (const byte of bytes) controller.enqueue(Uint8Array.of(byte))
      controller.close()
    },
  })
  await readEvents(body, { onEvent: (event) => events.push(event) })
  assert.deepEqual(events, [{ name: 'message', data: '12,50 €' }])
})
