import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { storyLine } from './start-log.ts'

describe('the log of npm start', () => {
  const entry = {
    level: 'info',
    time: '2026-03-01T10:20:30.456Z',
    service: 'payment-gateway',
    requestId: 'r',
    msg: 'payment.changed',
  }

  it('puts time, part and message first, then what a story is followed by, and leaves out what every line repeats', () => {
    const line = storyLine(
      'gateway',
      JSON.stringify({ ...entry, from: 'pending', bookingId: 'bkg_1', empty: null }),
      false,
    )
    assert.match(line ?? '', /^10:20:30\.456 gateway +payment\.changed +bookingId=bkg_1 from=pending$/)
  })

  it('shows an error by its message and in colour, and uses no colour where there is no terminal', () => {
    const text = JSON.stringify({
      ...entry,
      level: 'error',
      err: { type: 'Error', message: 'no answer', stack: 'at …' },
    })
    const plain = storyLine('gateway', text, false) ?? ''
    assert.match(plain, /err=no answer$/)
    assert.ok(!plain.includes('\u001B'))
    assert.ok(storyLine('gateway', text, true)?.includes('\u001B[31m'))
  })

  it('passes on what is no JSON as it is', () => {
    for (const line of ['node: out of memory', '{ not json', ''])
      assert.ok(storyLine('booking', line, false)?.endsWith(` ${line}`))
  })

  it('shortens requests that went well, keeps everything of those that did not, and drops the browser’s preflights', () => {
    const request = (method: string, status: number): string | null => {
      const fields = { msg: 'request.answered', requestId: 'r1', method, path: '/x', status, durationMs: 3 }
      return storyLine('booking', JSON.stringify({ ...entry, ...fields }), false)
    }
    assert.match(request('GET', 200) ?? '', /booking +GET \/x 200 3 ms$/)
    assert.match(request('GET', 404) ?? '', /request\.answered +status=404 method=GET path=\/x durationMs=3$/)
    assert.equal(request('OPTIONS', 204), null)
  })
})
