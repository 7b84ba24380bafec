import { ErrorBody } from '@passerelle/contracts/envelope'
import { PaymentView } from '@passerelle/contracts/payment'

/** The parts of an OpenAPI document that are completed here. */
export type OpenApiDocument = {
  readonly paths: Record<string, Record<string, Operation>>
  readonly [field: string]: unknown
}
type Operation = {
  operationId?: string
  responses?: Record<string, unknown>
  security?: readonly Record<string, readonly string[]>[]
  requestBody?: { required?: boolean; content?: Record<string, { schema?: unknown }> }
  readonly parameters?: readonly unknown[]
  readonly [field: string]: unknown
}

const API = '/api/v1/payment-gateway'
const WEBHOOK = `${API}/webhooks/stripe`

/** What the document says before any route is added to it. */
export const OPENAPI_BASE = {
  openapi: '3.1.0',
  info: {
    title: 'Passerelle payment gateway',
    version: '0.1.0',
    description:
      "The one service of a booking platform that talks to Stripe. Every answer is `{ success, data }` or `{ success: false, error }`; lists put the array in `data` and `nextCursor` beside it. Amounts: `amount` is a decimal in the currency's units, `amountMinor` the integer Stripe sees.",
  },
  tags: [
    { name: 'checkout', description: 'Opening and giving up the payment of a booking' },
    { name: 'payments', description: 'Where a payment stands' },
    { name: 'refunds', description: 'Giving money back' },
    { name: 'webhooks', description: "The door for Stripe's events" },
    { name: 'admin', description: 'The back office: inbox, outbox, timelines, incidents, audit' },
    { name: 'operations', description: 'Health, metrics and this document' },
  ],
  components: {
    securitySchemes: {
      user: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT', description: '`sub` is the customer.' },
      operator: {
        type: 'http',
        scheme: 'bearer',
        bearerFormat: 'JWT',
        description: 'A JWT whose `roles` contain `operator`.',
      },
      service: { type: 'http', scheme: 'bearer', description: 'The token services of the platform share.' },
      statusToken: {
        type: 'apiKey',
        in: 'query',
        name: 'token',
        description: 'May read one payment; given when its session was opened.',
      },
      stripeSignature: { type: 'apiKey', in: 'header', name: 'Stripe-Signature' },
    },
    schemas: { Error: ErrorBody },
  },
} as const

const ERRORS: Readonly<Record<number, string>> = {
  400: 'The request cannot be read; `details` names the fields.',
  401: 'No token, or one that is not valid.',
  403: 'This token may not do this.',
  404: 'There is no such thing, or not for this caller.',
  409: 'It cannot be done as things stand.',
  413: 'The body is too large.',
  415: 'The body is no JSON.',
  429: 'Too many requests; `Retry-After` says when again.',
  500: 'Our fault. Nothing was done.',
  503: 'Stripe, the booking service or the database is away. Try again.',
}

/** Adds to every operation what its route does not say itself: who may call it, how it fails, and its name. */
export function completed(document: OpenApiDocument): OpenApiDocument {
  for (const [path, operations] of Object.entries(document.paths))
    for (const [method, operation] of Object.entries(operations)) {
      operation.operationId = operationId(method, path)
      if (path === WEBHOOK) {
        Object.assign(operation, WEBHOOK_OPERATION)
        continue
      }
      operation.security = securityOf(path)
      if (path === '/docs') operation.responses = { '301': { description: 'To the page itself: /docs/.' } }
      if (path.endsWith('/stream')) operation.responses = STREAM_RESPONSES
      operation.responses = { ...operation.responses, ...errorResponses(errorsOf(method, path, operation)) }
      if (operation.requestBody && mayBeLeftOut(operation.requestBody)) operation.requestBody.required = false
    }
  return document
}

function securityOf(path: string): NonNullable<Operation['security']> {
  if (!path.startsWith(API)) return []
  if (path.startsWith(`${API}/admin/`) || path.endsWith('/refunds'))
    return [{ operator: [] }, { service: [] }]
  if (path === `${API}/status`) return [{ statusToken: [] }]
  const reads = /\/(?:verify|status|stream)$/.test(path)
  return [{ user: [] }, { service: [] }, ...(reads ? [{ statusToken: [] }] : [])]
}

function errorsOf(method: string, path: string, operation: Operation): number[] {
  if (path === '/readyz') return [503]
  if (!path.startsWith(API)) return []
  const reads = operation.parameters !== undefined || operation.requestBody !== undefined
  const onlyOperators = path.startsWith(`${API}/admin/`) || path.endsWith('/refunds')
  return [
    ...(reads ? [400] : []),
    401,
    ...(onlyOperators ? [403] : []),
    ...(path.includes('{') || !onlyOperators ? [404] : []),
    ...(method === 'post' || path.endsWith('/receipt') ? [409] : []),
    ...(method === 'post' ? [413, 415] : []),
    429,
    500,
    503,
  ]
}

function errorResponses(statuses: readonly number[]): Record<string, unknown> {
  return Object.fromEntries(
    statuses.map((status) => [
      String(status),
      {
        description: ERRORS[status],
        content: { 'application/json': { schema: { $ref: '#/components/schemas/Error' } } },
      },
    ]),
  )
}

function mayBeLeftOut(body: NonNullable<Operation['requestBody']>): boolean {
  const schema = body.content?.['application/json']?.schema as
    | { readonly anyOf?: readonly { readonly type?: string }[] }
    | undefined
  return schema?.anyOf?.some(({ type }) => type === 'null') ?? false
}

/** `GET …/admin/events/{eventId}` is `getAdminEventsByEventId`. */
function operationId(method: string, path: string): string {
  const words = path
    .replace(API, '')
    .replaceAll('{', 'by-')
    .split(/[^A-Za-z0-9]+/)
    .filter((word) => word !== '')
  return method + words.map((word) => word.charAt(0).toUpperCase() + word.slice(1)).join('')
}

const STREAM_RESPONSES = {
  '200': {
    description:
      'Server-Sent Events named `status`, at once and at every change; `id` is the version, `data` this JSON.',
    content: { 'text/event-stream': { schema: PaymentView } },
  },
}

const webhookAnswer = (description: string, properties: Record<string, unknown>) => ({
  description,
  content: {
    'application/json': { schema: { type: 'object', properties, required: Object.keys(properties) } },
  },
})
const refusal = (description: string) => webhookAnswer(description, { error: { type: 'string' } })

const WEBHOOK_OPERATION: Operation = {
  summary: 'Takes an event of Stripe; 200 means it is durable and applied, or owed to the worker',
  tags: ['webhooks'],
  security: [{ stripeSignature: [] }],
  requestBody: {
    required: true,
    content: { 'application/json': { schema: { type: 'object', description: 'The event, as signed.' } } },
  },
  responses: {
    '200': webhookAnswer('Stored; also for duplicates and types nobody here needs.', {
      received: { type: 'boolean', const: true },
    }),
    '400': refusal('Not signed, malformed, or of the other mode.'),
    '403': refusal('This address may not deliver events.'),
    '413': refusal('The body is too large.'),
    '429': refusal('Too many requests without a valid signature from this address.'),
    '500': refusal('Not stored. Send it again.'),
    '503': refusal('Too busy to store it. Send it again.'),
  },
}
