import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { FormObject, FormValue } from './form.ts'
import { FormError, parseForm } from './form.ts'

type Tree = string | Tree[] | { [name: string]: Tree }

const name = fc.stringMatching(/^[a-zA-Z_][a-zA-Z0-9_]{0,8}$/)
const { tree } = fc.letrec<{ tree: Tree }>((tie) => ({
  tree: fc.oneof(
    { maxDepth: 3 },
    fc.string(),
    fc.array(tie('tree'), { minLength: 1, maxLength: 4 }),
    fc.dictionary(name, tie('tree'), { minKeys: 1, maxKeys: 4, noNullPrototype: true }),
  ),
}))

// The encoding of the official SDK: brackets plain, lists indexed.
function encode(value: Tree, path: string): string[] {
  if (typeof value === 'string') return [`${path}=${encodeURIComponent(value)}`]
  const entries = Array.isArray(value) ? [...value.entries()] : Object.entries(value)
  return entries.flatMap(([key, child]) => encode(child, `${path}[${key}]`))
}

function plain(value: FormValue): Tree {
  if (typeof value === 'string') return value
  if (Array.isArray(value)) return value.map(plain)
  return Object.fromEntries(Object.entries(value).map(([key, child]) => [key, plain(child)]))
}

test('whatever the SDK encodes is read back as it was, in any order of its parts', () => {
  fc.assert(
    fc.property(
      fc.dictionary(name, tree, { noNullPrototype: true }),
      fc.infiniteStream(fc.nat()),
      (params, dice) => {
        const parts = Object.entries(params).flatMap(([key, value]) => encode(value, key))
        const shuffled = parts
          .map((part) => ({ part, at: dice.next().value as number }))
          .toSorted((a, b) => a.at - b.at)
        assert.deepEqual(plain(parseForm(shuffled.map(({ part }) => part).join('&'))), params)
      },
    ),
  )
})

test('nothing that a caller writes reaches a prototype', () => {
  const hostile = parseForm(
    '__proto__[polluted]=1&metadata[__proto__][x]=1&metadata[constructor]=c&a[constructor][prototype][y]=1',
  )
  assert.equal(({} as Record<string, unknown>)['polluted'], undefined)
  assert.equal(({} as Record<string, unknown>)['y'], undefined)
  assert.equal(Object.getPrototypeOf(hostile), null)
  assert.equal((hostile['metadata'] as FormObject)['constructor'], 'c')
})

test('any bytes are either read or refused as a form error', () => {
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string({ unit: 'binary' }),
        fc.string({ unit: fc.constantFrom('a', 'b', '[', ']', '=', '&', '%', '0', '1', '+') }),
      ),
      (text) => {
        try {
          parseForm(text)
        } catch (error) {
          assert.ok(error instanceof FormError)
        }
      },
    ),
  )
})

test('lists may be written with indexes or with empty brackets', () => {
  assert.deepEqual(plain(parseForm('a[]=1&a[]=2&b[1]=y&b[0]=x')), { a: ['1', '2'], b: ['x', 'y'] })
})
