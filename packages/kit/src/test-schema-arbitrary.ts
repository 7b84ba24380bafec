import fc from 'fast-check'

/** The parts of JSON Schema our OpenAPI document uses. */
export type JsonSchema = {
  readonly type?: string
  readonly const?: unknown
  readonly enum?: readonly unknown[]
  readonly anyOf?: readonly JsonSchema[]
  readonly properties?: Readonly<Record<string, JsonSchema>>
  readonly required?: readonly string[] | undefined
  readonly items?: JsonSchema
  readonly pattern?: string
  readonly format?: string
  readonly minLength?: number
  readonly maxLength?: number
  readonly minimum?: number
  readonly maximum?: number
  readonly exclusiveMinimum?: number
}

const LENGTH_MAX = 60

/**
 * What no answer may hold, of any service: its insides, or the secrets of the sandbox's Stripe. Each is long enough, and
 * starts where a word does, so that no random token says it by chance.
 */
export const LEAKS =
  /node_modules|\.ts:\d+|at \w+ \(|relation "|syntax error|invalid input syntax|\bpg_[a-z]{4,}|select .* from|ECONN[A-Z]{3,}|whsec_|sk_test_/

/** encodeURIComponent throws at half a character; what a client would send then is its replacement. */
export function safeEncode(value: string): string {
  return encodeURIComponent(value.toWellFormed())
}

/** Values the schema allows. */
export function allowed(schema: JsonSchema): fc.Arbitrary<unknown> {
  if (schema.const !== undefined) return fc.constant(schema.const)
  if (schema.enum !== undefined) return fc.constantFrom(...schema.enum)
  if (schema.anyOf !== undefined) return fc.oneof(...schema.anyOf.map(allowed))
  switch (schema.type) {
    case 'string':
      return text(schema)
    case 'integer':
      return fc.integer({
        min: schema.minimum ?? -1000,
        max: Math.min(schema.maximum ?? 1_000_000, 2 ** 31 - 1),
      })
    case 'number':
      return fc.double({
        min: schema.exclusiveMinimum ?? schema.minimum ?? -1e9,
        max: 1e9,
        noNaN: true,
        minExcluded: true,
      })
    case 'boolean':
      return fc.boolean()
    case 'null':
      return fc.constant(null)
    case 'array':
      return fc.array(allowed(schema.items ?? {}), { maxLength: 5 })
    case 'object':
      return object(schema)
    default:
      return fc.jsonValue({ maxDepth: 3 })
  }
}

function text({ format, pattern, minLength = 0, maxLength = LENGTH_MAX }: JsonSchema): fc.Arbitrary<string> {
  const size = { minLength, maxLength: Math.min(maxLength, LENGTH_MAX) }
  if (format === 'date-time')
    return fc
      .date({ min: new Date('1970-01-01'), max: new Date('2100-01-01'), noInvalidDate: true })
      .map((date) => date.toISOString())
  if (format === 'email') return fc.emailAddress()
  if (pattern === undefined) return fc.string({ ...size, unit: 'binary' })
  return fc
    .stringMatching(new RegExp(pattern))
    .map((found) => found.slice(0, size.maxLength))
    .filter((found) => found.length >= minLength)
}

function object({ properties = {}, required = [] }: JsonSchema): fc.Arbitrary<unknown> {
  const fields = Object.fromEntries(Object.entries(properties).map(([name, field]) => [name, allowed(field)]))
  return fc.record(fields, { requiredKeys: [...required] })
}

/** What people and programs send by mistake or on purpose, where a text is expected. */
export const NASTY_TEXTS = [
  '',
  ' ',
  '..',
  '../../admin',
  '%00',
  '\0',
  '\ud800',
  "' or 1=1 --",
  '"; drop table payments; --',
  '#{7*7}{{7*7}}',
  '<script>alert(1)</script>',
  '=HYPERLINK("https://evil.test")',
  '\r\nX-Injected: yes',
  '__proto__',
  'constructor',
  'null',
  'NaN',
  '-1',
  '1e309',
  '99999999999999999999',
  '4242424242424242',
  'é'.repeat(300),
  'x'.repeat(5000),
] as const

const anything = fc.oneof(
  fc.constantFrom<unknown>(
    ...NASTY_TEXTS,
    null,
    true,
    0,
    -1,
    1e308,
    [],
    {},
    [[]],
    { a: { b: { c: [] } } },
    Number.MAX_SAFE_INTEGER + 2,
  ),
  fc.jsonValue({ maxDepth: 3 }),
)

/** Values near the schema: a field missing, of another type, out of range, or one too many. */
export function nearly(schema: JsonSchema): fc.Arbitrary<unknown> {
  const names = [...Object.keys(schema.properties ?? {}), '__proto__', 'admin', 'customerId']
  return fc.oneof(
    anything,
    fc.tuple(allowed(schema), fc.constantFrom(...names), anything).map(([value, name, odd]) => {
      if (typeof value !== 'object' || value === null) return odd
      const copy = new Map<string, unknown>(Object.entries(value))
      copy.set(name, odd)
      return Object.fromEntries(copy)
    }),
  )
}
