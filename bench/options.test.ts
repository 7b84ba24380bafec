import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { readOptions } from './options.ts'

describe('the options of the bench', () => {
  it('take medians of five rounds, in a quick look too, which is smaller in everything else', () => {
    const whole = readOptions([])
    const quick = readOptions(['--quick'])
    assert.equal(whole.rounds, 5)
    assert.equal(quick.rounds, 5)
    for (const name of ['seconds', 'warmUp', 'streams', 'backlog', 'memoryEvents'] as const)
      assert.ok(quick[name] < whole[name], name)
    assert.deepEqual(whole.growth, [100_000, 5_000_000])
    assert.deepEqual(quick.only, whole.only)
  })

  it('let what is asked for win over both', () => {
    const { growth, seconds, backlog } = readOptions(['--quick', '--growth', '10,200', '--seconds', '2'])
    assert.deepEqual(growth, [10, 200])
    assert.equal(seconds, 2)
    assert.equal(backlog, readOptions(['--quick']).backlog)
  })

  it('are refused with how to use them when they are none', () => {
    for (const args of [
      ['--growth', '10'],
      ['--growth', '1,2,3'],
      ['--rounds', 'many'],
      ['--only', 'speed'],
    ])
      assert.throws(() => readOptions(args), /usage: npm run bench/, args.join(' '))
  })
})
