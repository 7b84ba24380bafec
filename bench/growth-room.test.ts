import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { neededBytes, seedingSentence } from './rows/growth-room.ts'

describe('the room that growth needs', () => {
  const room = { directory: '/srv/bench', payments: 5_100_000, neededBytes: 60e9 }

  it('is some 10 kB a payment and the log, less what an earlier run has written', () => {
    const all = neededBytes([{ payments: 5_000_000, bytes: 0 }])
    assert.ok(all > 50e9 && all < 70e9, String(all))
    assert.ok(neededBytes([{ payments: 10_000, bytes: 0 }]) < 0.3e9)
    assert.ok(neededBytes([{ payments: 5_000_000, bytes: 40e9 }]) < all - 39e9)
    assert.equal(neededBytes([{ payments: 1000, bytes: 90e9 }]), 0)
    assert.equal(neededBytes([]), 0)
  })

  it('is told before anything is seeded, with how long that takes', () => {
    const { isEnough, sentence } = seedingSentence({ ...room, freeBytes: 61e9 })
    assert.equal(isEnough, true)
    assert.match(sentence, /^growth seeds 5,100,000 payments: about \d+ min, 60\.0 GB in \/srv\/bench/)
  })

  it('is missed in words that say what to do', () => {
    const { isEnough, sentence } = seedingSentence({ ...room, freeBytes: 59e9 })
    assert.equal(isEnough, false)
    for (const part of ['needs 60.0 GB in /srv/bench', '59.0 GB are free', '--data', '--growth'])
      assert.ok(sentence.includes(part), part)
  })
})
