// The parameters of every route are those of the SDK's own declarations: each is read, or refused by name.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { fileURLToPath } from 'node:url'
import { createChecker } from '../../../tools/stripe-schema/check.ts'
import { readDeclarations } from '../../../tools/stripe-schema/declarations.ts'
import { generateSchema } from '../../../tools/stripe-schema/generate.ts'
import { sdkRoutes } from '../../../tools/stripe-schema/routes.ts'
import type { Operation } from '../src/http/operation.ts'
import type { Shape } from '../src/http/params.ts'
import { UNSUPPORTED } from '../src/http/unsupported.ts'
import type { Relay } from '../src/listen/relay.ts'
import { operations } from '../src/sandbox.ts'
import { failure, sessionParams, startWorld } from './merchant.ts'

const ROOT = fileURLToPath(new URL('../../..', import.meta.url))
// What older API versions have, and what the API takes although the SDK does not declare it.
const UNDECLARED: Readonly<Record<string, readonly string[]>> = {
  'POST /v1/checkout/sessions': ['payment_method_types'],
  'POST /v1/payment_intents': ['payment_method_types', 'payment_method_data.card'],
  'POST /v1/payment_intents/:id': ['payment_method_types', 'payment_method_data.card'],
  'POST /v1/payment_intents/:id/confirm': [
    'client_secret',
    'payment_method_types',
    'payment_method_data.card',
  ],
  'POST /v1/setup_intents': ['payment_method_types', 'payment_method_data.card'],
  'POST /v1/setup_intents/:id': ['payment_method_data.card'],
  'POST /v1/setup_intents/:id/confirm': ['payment_method_data.card'],
  'POST /v1/customers': ['coupon'],
  'POST /v1/customers/:id': ['coupon'],
  'POST /v1/promotion_codes': ['coupon'],
  'POST /v1/payment_links': ['active', 'line_items.id'],
  'POST /v1/payment_links/:id': ['line_items.price', 'payment_intent_data.capture_method'],
}
// Routes of Stripe that the SDK does not call.
const UNCALLED = [
  'GET /v1/payment_pages/:id',
  'POST /v1/payment_pages/:id/confirm',
  'GET /v1/charges/:id/refunds',
  'POST /v1/events/:id/retry',
  'POST /v1/stripecli/sessions',
  'GET /v1/customers/:id/cash_balance_transactions/:part',
  'GET /v1/customers/:id/discount',
  'GET /v1/customers/:id/sources/:part',
  'POST /v1/customers/:id/sources/:part',
  'DELETE /v1/customers/:id/sources/:part',
]

const routeOf = ({ method, path }: Operation): string => `${method} ${path}`
const all = operations(() => {}, {} as Relay)
const known = new Map(sdkRoutes(ROOT).map(({ route, parameters }) => [route, parameters]))
const wanted = all.map((each) => known.get(routeOf(each))).filter((name) => name !== undefined)
const schema = generateSchema(readDeclarations(ROOT), wanted)
const checker = createChecker(schema)

function declaredOf(route: string): Set<string> {
  const name = known.get(route)
  const definition = Object.keys(schema.$defs).find((each) => each === name || each.endsWith(`.${name}`))
  const names = definition === undefined ? [] : checker.parametersOf(definition)
  return new Set(names.filter((each) => each !== 'expand'))
}

/** Each parameter with whether it is read as a whole, whatever is inside. */
function* readBy(shape: Shape, path = ''): Generator<[name: string, isWhole: boolean]> {
  for (const [name, reader] of Object.entries(shape)) {
    yield [path + name, reader.shape === undefined]
    if (reader.shape) yield* readBy(reader.shape, `${path + name}.`)
  }
}

const parentOf = (name: string): string => name.slice(0, Math.max(0, name.lastIndexOf('.')))

describe('the parameters of', () => {
  for (const operation of all) {
    const route = routeOf(operation)
    // The SDK declares the parameters of the second version elsewhere, as JSON.
    if (UNCALLED.includes(route) || route.includes(' /v2/')) continue
    it(route, () => {
      assert.ok(known.has(route), 'the SDK calls no such route')
      const declared = declaredOf(route)
      const read = new Map(readBy(operation.shape))
      const unsupported = UNSUPPORTED[route] ?? []
      const isNeeded = (name: string): boolean => {
        const parent = parentOf(name)
        return parent === '' || (declared.has(parent) && read.get(parent) === false)
      }
      const missing = [...declared].filter((name) => isNeeded(name) && !read.has(name))
      const whole = unsupported.filter((name) => name.endsWith('.*')).map((name) => name.slice(0, -1))
      const named = missing.filter((name) => !whole.some((start) => name.startsWith(start)))
      const names = unsupported.filter((name) => !name.endsWith('.*'))
      assert.deepEqual(named.toSorted(), names.toSorted(), 'neither read nor refused by name')
      const tolerated = UNDECLARED[route] ?? []
      const invented = [...read.keys()].filter(
        (name) =>
          !declared.has(name) && !tolerated.some((each) => name === each || name.startsWith(`${each}.`)),
      )
      assert.deepEqual(invented, [], 'not declared by the SDK')
    })
  }
})

describe('a parameter', () => {
  it('that Stripe does not have is unknown; one that only the sandbox lacks is refused by its name', async () => {
    const world = await startWorld()
    try {
      const ask = (extra: object) =>
        failure(world.stripe.checkout.sessions.create({ ...sessionParams(), ...extra }))
      const unknown = await ask({ colour: 'red' })
      assert.deepEqual(
        [unknown.statusCode, unknown.code, unknown.param, unknown.message],
        [400, 'parameter_unknown', 'colour', 'Received unknown parameter: colour'],
      )
      const nested = await ask({ payment_intent_data: { on_behalf_of: 'acct_1' } })
      assert.equal(
        nested.message,
        "The sandbox does not have Stripe's parameter payment_intent_data[on_behalf_of]. Leave it out.",
      )
      assert.match(
        (await ask({ shipping_options: [{ shipping_rate: 'x' }] })).message,
        /does not have Stripe's parameter shipping_options\./,
      )
      assert.deepEqual((await world.stripe.checkout.sessions.list()).data, [])
    } finally {
      await world.stop()
    }
  })
})
