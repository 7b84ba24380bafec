import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { createLog } from './log.ts'

function linesOf(write: (log: ReturnType<typeof createLog>) => void): Record<string, unknown>[] {
  const lines: string[] = []
  write(createLog({ name: 'test', level: 'info', destination: { write: (line) => void lines.push(line) } }))
  return lines.map((line) => JSON.parse(line) as Record<string, unknown>)
}

describe('a log line', () => {
  it('says what it was given, under the service that wrote it', () => {
    const [line] = linesOf((log) => log.info({ paymentId: 'pay_1', to: 'succeeded' }, 'payment.changed'))
    assert.equal(line?.['service'], 'test')
    assert.equal(line?.['paymentId'], 'pay_1')
    assert.equal(line?.['msg'], 'payment.changed')
    assert.equal(line?.['level'], 'info')
  })

  it('never holds a secret, however deep it stands, and leaves what it was given as it is', () => {
    const given = {
      token: 'hidden',
      request: { headers: { authorization: 'hidden', accept: 'seen' }, body: [{ email: 'hidden' }] },
      customer: { name: 'hidden', id: 'seen' },
    }
    const [line] = linesOf((log) => log.info(given, 'said'))
    assert.doesNotMatch(JSON.stringify(line), /hidden/)
    assert.equal(JSON.stringify(line).match(/seen/g)?.length, 2)
    assert.equal(given.request.headers.authorization, 'hidden')
  })

  it('cuts off what stands too deep to be looked through', () => {
    let deep: Record<string, unknown> = { email: 'hidden', at: 'the bottom' }
    for (const key of ['billing_details', 'payment_method', 'last_payment_error', 'payment_intent', 'raw'])
      deep = { [key]: deep }
    const error = Object.assign(new Error('went wrong'), { deep })
    const [line] = linesOf((log) =>
      log.error({ err: error, deep, list: [[[[[[{ token: 'hidden' }]]]]]] }, 'said'),
    )
    assert.doesNotMatch(JSON.stringify(line), /hidden/)
  })

  it('looks into an error under whatever name it is given', () => {
    const error = Object.assign(new Error('went wrong'), { config: { password: 'hidden' } })
    const [line] = linesOf((log) => log.error({ cause: error, all: [error] }, 'failed'))
    assert.doesNotMatch(JSON.stringify(line), /hidden/)
    assert.equal(JSON.stringify(line).match(/"message":"went wrong"/g)?.length, 2)
  })

  it('tells an error with its stack and without the secrets that hang on it', () => {
    const error = Object.assign(new Error('went wrong'), { code: 'E1', config: { password: 'hidden' } })
    const [line] = linesOf((log) => log.error({ err: error }, 'failed'))
    assert.match(JSON.stringify(line), /went wrong.*log\.test/)
    assert.match(JSON.stringify(line), /E1/)
    assert.doesNotMatch(JSON.stringify(line), /hidden/)
  })
})
