import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { demoCookie, readDemoCookie } from './demo-customer.ts'

describe('readDemoCookie', () => {
  it('finds its cookie among others, wherever it stands', () => {
    assert.equal(readDemoCookie('a=1; passerelle_demo=abc-_9; b=2'), 'abc-_9')
    assert.equal(readDemoCookie('passerelle_demo=abc'), 'abc')
  })

  it('is not fooled by names that end or begin like its own', () => {
    assert.equal(readDemoCookie('xpasserelle_demo=abc; passerelle_demo2=def'), null)
    assert.equal(readDemoCookie(undefined), null)
    assert.equal(readDemoCookie('passerelle_demo'), null)
  })
})

describe('demoCookie', () => {
  it('is out of reach of scripts and of other sites, and only for signing in', () => {
    const header = demoCookie('abc', { secure: false })
    assert.equal(header, 'passerelle_demo=abc; Path=/api/v1/auth; Max-Age=2592000; HttpOnly; SameSite=Lax')
    assert.match(demoCookie('abc', { secure: true }), /; Secure$/)
  })

  it('is forgotten at once when there is no token', () => {
    assert.match(demoCookie(null, { secure: false }), /^passerelle_demo=; .*Max-Age=0;/)
  })
})
