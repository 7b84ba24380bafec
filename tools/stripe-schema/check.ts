import type { Schema, StripeSchema } from './generate.ts'

/** What is wrong with an object that claims to be Stripe's, one sentence each; empty when nothing is. */
export type Checker = {
  /** Whatever a 2xx or an error of the API carries: an object, a list, a deleted object, an error. */
  answer(body: unknown): string[]
  event(body: unknown): string[]
  /** The parameters of an interface of the SDK, dotted and without list positions: `line_items.price_data.currency`. */
  parametersOf(definition: string): string[]
}

const SHOWN_CHARACTERS = 60
const PARAMETER_DEPTH = 3

// By hand rather than with a validator that compiles: the 4,000 definitions refer to each other in circles, which takes
// seconds to compile in every test process and is read here as far as an object goes.
export function createChecker(schema: StripeSchema): Checker {
  const check = (value: unknown, at: string, expected: Schema): string[] => {
    const problems: string[] = []
    checkValue(schema, { value, at, problems }, expected)
    return problems
  }
  const object = (body: unknown, at: string): string[] => {
    if (!isRecord(body)) return [`${at}: not an object`]
    if (body['object'] === 'list' || body['object'] === 'search_result') return list(body, at)
    if (body['object'] === 'event' || body['object'] === 'v2.core.event') return event(body)
    if (Array.isArray(body['data']) && 'next_page_url' in body) return page(body, at)
    const names = schema.objects[String(body['object'])]
    if (!names) return [`${at}: the SDK knows no object ${shown(body['object'])}`]
    return check(body, String(body['object']), { anyOf: names.map(refTo) })
  }
  const list = (body: Readonly<Record<string, unknown>>, at: string): string[] => {
    const { data, ...rest } = body
    const isSearch = rest['object'] === 'search_result'
    const problems = check(rest, at, isSearch ? SEARCH_PAGE : LIST_PAGE)
    if (!Array.isArray(data)) return [...problems, `${at}.data: missing`]
    return [...problems, ...data.flatMap((item, index) => object(item, `${at}.data[${index}]`))]
  }
  const page = ({ data, ...rest }: Readonly<Record<string, unknown>>, at: string): string[] => [
    ...check(rest, at, SECOND_VERSION_PAGE),
    ...(data as unknown[]).flatMap((item, index) => object(item, `${at}.data[${index}]`)),
  ]
  const event = (body: unknown): string[] => {
    const type = isRecord(body) ? String(body['type']) : ''
    const name = schema.events[type]
    return name === undefined
      ? [`event: the SDK knows no type ${shown(type)}`]
      : check(body, type, refTo(name))
  }
  return {
    answer: (body) =>
      isRecord(body) && isRecord(body['error'])
        ? errorProblems(body['error'], check)
        : object(body, 'answer'),
    event,
    parametersOf: (definition) => [...parameterNames(schema, refTo(definition), '')],
  }
}

const LIST_PAGE: Schema = {
  type: 'object',
  properties: { object: {}, has_more: { type: 'boolean' }, url: { type: 'string' } },
  required: ['object', 'has_more', 'url'],
  additionalProperties: false,
}
const SEARCH_PAGE: Schema = {
  ...LIST_PAGE,
  properties: {
    ...LIST_PAGE.properties,
    next_page: { anyOf: [{ type: 'string' }, { type: 'null' }] },
    total_count: { type: 'number' },
  },
}
const ADDRESS: Schema = { anyOf: [{ type: 'string' }, { type: 'null' }] }
const SECOND_VERSION_PAGE: Schema = {
  type: 'object',
  properties: { next_page_url: ADDRESS, previous_page_url: ADDRESS },
  required: ['next_page_url', 'previous_page_url'],
  additionalProperties: false,
}
const ERROR_TYPES = ['api_error', 'card_error', 'idempotency_error', 'invalid_request_error']

// The codes of errors are wider than those of a last_payment_error, whose shape they share otherwise.
function errorProblems(
  error: Readonly<Record<string, unknown>>,
  check: (value: unknown, at: string, expected: Schema) => string[],
): string[] {
  const { code, request_log_url: url, ...rest } = error
  const problems = check(rest, 'error', refTo('PaymentIntent.LastPaymentError'))
  if (typeof error['message'] !== 'string') problems.push('error.message: missing')
  if (!ERROR_TYPES.includes(String(error['type']))) problems.push('error.type: unknown')
  if (code !== undefined && typeof code !== 'string') problems.push('error.code: not a string')
  if (url !== undefined && typeof url !== 'string') problems.push('error.request_log_url: not a string')
  return problems
}

type Place = { readonly value: unknown; readonly at: string; readonly problems: string[] }

function checkValue(schema: StripeSchema, place: Place, expected: Schema): void {
  const { value, at, problems } = place
  if (expected.$ref !== undefined) {
    checkValue(schema, place, resolve(schema, expected))
  } else if (expected.anyOf) {
    const fitting = branchFor(schema, value, expected.anyOf)
    if (fitting) checkValue(schema, place, fitting)
    else problems.push(`${at}: ${shown(value)} is none of what it may be`)
  } else if (expected.enum) {
    if (!expected.enum.some((allowed) => allowed === value))
      problems.push(`${at}: ${shown(value)} is not a value of the SDK`)
  } else if (expected.type !== undefined && expected.type !== typeOf(value)) {
    problems.push(`${at}: ${shown(value)} is not of type ${expected.type}`)
  } else if (expected.items && Array.isArray(value)) {
    const { items } = expected
    for (const [index, item] of value.entries())
      checkValue(schema, { ...place, value: item, at: `${at}[${index}]` }, items)
  } else if (expected.type === 'object' && isRecord(value)) {
    checkFields(schema, { ...place, value }, expected)
  }
}

function checkFields(
  schema: StripeSchema,
  { value, at, problems }: Place & { readonly value: Readonly<Record<string, unknown>> },
  { properties = {}, required = [], additionalProperties }: Schema,
): void {
  for (const name of required) if (value[name] === undefined) problems.push(`${at}.${name}: missing`)
  for (const [name, field] of Object.entries(value)) {
    // `undefined` never reaches the wire.
    if (field === undefined) continue
    const expected = Object.hasOwn(properties, name) ? properties[name] : additionalProperties
    if (expected) checkValue(schema, { value: field, at: `${at}.${name}`, problems }, expected)
    else if (expected === false) problems.push(`${at}.${name}: the SDK knows no such field`)
  }
}

/** The branch of a union that the value means to be: by its type, and among objects by their constants. */
function branchFor(schema: StripeSchema, value: unknown, branches: readonly Schema[]): Schema | undefined {
  const whole = branches
    .map((branch) => resolve(schema, branch))
    .flatMap((branch) => branch.anyOf ?? [branch])
  const resolved = whole.map((branch) => resolve(schema, branch))
  const literal = resolved.find((branch) => branch.enum?.some((allowed) => allowed === value))
  if (literal) return literal
  const typed = resolved.filter((branch) =>
    branch.type === undefined ? !branch.enum : branch.type === typeOf(value),
  )
  if (typed.length < 2 || !isRecord(value)) return typed[0] ?? resolved.find((branch) => branch.enum)
  return typed.find((branch) => agrees(value, branch)) ?? typed[0]
}

function agrees(value: Readonly<Record<string, unknown>>, { properties = {} }: Schema): boolean {
  return (
    Object.entries(properties).every(
      ([name, { enum: allowed }]) =>
        allowed?.length !== 1 || value[name] === undefined || value[name] === allowed[0],
    ) && Boolean(properties['deleted']) === (value['deleted'] === true)
  )
}

function* parameterNames(schema: StripeSchema, expected: Schema, path: string): Generator<string> {
  if (path.split('.').length > PARAMETER_DEPTH) return
  const { properties, items, anyOf } = resolve(schema, expected)
  for (const branch of anyOf ?? []) yield* parameterNames(schema, branch, path)
  if (items) yield* parameterNames(schema, items, path)
  for (const [name, inner] of Object.entries(properties ?? {})) {
    const inside = path === '' ? name : `${path}.${name}`
    yield inside
    yield* parameterNames(schema, inner, inside)
  }
}

function refTo(name: string): Schema {
  return { $ref: `#/$defs/${name}` }
}

function resolve(schema: StripeSchema, expected: Schema): Schema {
  if (expected.$ref === undefined) return expected
  const found = schema.$defs[expected.$ref.slice('#/$defs/'.length)]
  if (!found) throw new Error(`The schema has no ${expected.$ref}.`)
  return resolve(schema, found)
}

function typeOf(value: unknown): string {
  if (value === null) return 'null'
  return Array.isArray(value) ? 'array' : typeof value
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function shown(value: unknown): string {
  return (JSON.stringify(value) ?? 'undefined').slice(0, SHOWN_CHARACTERS)
}
