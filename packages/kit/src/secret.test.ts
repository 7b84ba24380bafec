import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { ConfigError, readConfig } from './config.ts'
import type { EnvReader } from './config.ts'
import { isDeeperThan } from './json-depth.ts'
import { addressKey, createRateLimiter } from './rate-limit.ts'
import { isOneOf, secretWeakness } from './secret.ts'

describe('isOneOf', () => {
  it('knows each of several secrets and nothing like them', () => {
    const secrets = ['the first secret', 'the second secret']
    assert.ok(isOneOf('the first secret', secrets))
    assert.ok(isOneOf('the second secret', secrets))
    for (const wrong of ['', 'the first', 'the first secret ', 'THE FIRST SECRET', 'the third secret'])
      assert.ok(!isOneOf(wrong, secrets), wrong)
    assert.ok(!isOneOf('', []))
  })
})

describe('secretWeakness', () => {
  it('refuses what stands in examples, what is short and what repeats', () => {
    for (const placeholder of [
      'changeme',
      'change-me',
      'secret',
      'your-secret-key',
      'password',
      'whsec_...',
      'whsec_xxxxxxxx',
      '<secret>',
      '1234567890',
      'my-secret',
      'supersecret',
    ])
      assert.equal(secretWeakness(placeholder, 10), 'is a placeholder', placeholder)
    assert.match(secretWeakness('Xk3-9dQ', 10) ?? '', /shorter than 10/)
    assert.match(secretWeakness('abababababababababababababababab', 32) ?? '', /repeats/)
    assert.equal(secretWeakness('kM3vX9dQpL2sT7wY1bN5cR8fG4hJ6zA0', 32), null)
  })
})

describe('secrets of the environment', () => {
  const read = (env: Record<string, string>, use: (env: EnvReader) => unknown): string => {
    try {
      readConfig(use, env)
      return ''
    } catch (error) {
      assert.ok(error instanceof ConfigError)
      return error.message
    }
  }
  const good = 'kM3vX9dQpL2sT7wY1bN5cR8fG4hJ6zA0'

  it('are refused by name and place, never by content', () => {
    const problem = read({ TOKENS: `${good},change-me-now` }, (env) =>
      env.secrets('TOKENS', { charactersMin: 32, allowWeak: false }),
    )
    assert.match(problem, /^TOKENS \(number 2\) is shorter than 32/)
    assert.doesNotMatch(problem, /change-me-now|kM3v/)
  })

  it('may be weak only where that was said, and never where it is for real', () => {
    assert.equal(
      read({ TOKENS: 'changeme', ALLOW_WEAK_SECRETS: 'on' }, (env) =>
        env.secrets('TOKENS', env.secretStrength(false)),
      ),
      '',
    )
    assert.match(
      read({ TOKENS: 'changeme' }, (env) => env.secrets('TOKENS', env.secretStrength(false))),
      /placeholder/,
    )
    assert.match(
      read({ TOKENS: good, ALLOW_WEAK_SECRETS: 'on' }, (env) =>
        env.secrets('TOKENS', env.secretStrength(true)),
      ),
      /ALLOW_WEAK_SECRETS/,
    )
  })

  it('for HS256 are several only when each could stand alone: a comma may be part of one', () => {
    const secretsOf = (value: string) =>
      readConfig((env) => env.jwtSecrets('SECRET', { charactersMin: 10, allowWeak: false }), {
        SECRET: value,
      })
    assert.deepEqual(secretsOf(`${good},${good.toLowerCase()}`), [good, good.toLowerCase()])
    assert.deepEqual(secretsOf('one secret, with a comma in it'), ['one secret, with a comma in it'])
  })
})

describe('a rate limiter', () => {
  it('lets a minute of requests through at once, says how long to wait, and forgives with time', () => {
    let now = 0
    const limiter = createRateLimiter(60, () => now)
    for (let request = 0; request < 60; request += 1) assert.equal(limiter.take('a'), null)
    assert.equal(limiter.take('a'), 1)
    assert.equal(limiter.take('b'), null, 'somebody else is not concerned')
    now += 1000
    assert.equal(limiter.take('a'), null)
    assert.equal(limiter.take('a'), 1)
  })

  it('stays bounded in memory however many addresses come, and still holds the busy ones', () => {
    let now = 0
    const limiter = createRateLimiter(1, () => now)
    assert.equal(limiter.take('attacker'), null)
    for (let key = 0; key < 100_000; key += 1) {
      limiter.take(String(key))
      if (key % 1000 === 0) assert.notEqual(limiter.take('attacker'), null)
    }
    now += 60_000
    assert.equal(limiter.take('attacker'), null)
  })

  it('takes an IPv6 network for one, and an IPv4 address in disguise for what it is', () => {
    assert.equal(addressKey('2001:db8:1:2:aaaa::1'), addressKey('2001:db8:1:2:bbbb::2'))
    assert.notEqual(addressKey('2001:db8:1:2::1'), addressKey('2001:db8:1:3::1'))
    assert.equal(addressKey('2001:db8::1'), addressKey('2001:0DB8:0:0:1::9'))
    assert.equal(addressKey('::ffff:192.0.2.7'), '192.0.2.7')
    assert.equal(addressKey('192.0.2.7'), '192.0.2.7')
  })
})

describe('isDeeperThan', () => {
  it('counts brackets outside of texts only', () => {
    assert.ok(!isDeeperThan('[[[]]]', 3))
    assert.ok(isDeeperThan('[[[[]]]]', 3))
    assert.ok(isDeeperThan('{"a":{"b":{"c":{}}}}', 3))
    assert.ok(!isDeeperThan('["[[[[[[[[", "]]", "\\"[[[[["]', 3))
    assert.ok(!isDeeperThan('[[],[],[],[],[],[],[]]', 3))
    assert.ok(isDeeperThan(Buffer.from('['.repeat(1_000_000)), 3000))
  })
})
