// Turns the gateway's OpenAPI document into the types of `operations.ts`. Only what our own schemas use is understood;
// anything else stops the generation instead of becoming `unknown`.

export type Document = { readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>> }

type Operation = {
  readonly summary?: string
  readonly tags?: readonly string[]
  readonly parameters?: readonly {
    readonly in: string
    readonly name: string
    readonly required?: boolean
    readonly schema: Schema
  }[]
  readonly requestBody?: { readonly required?: boolean; readonly content: Content }
  readonly responses: Readonly<Record<string, { readonly content?: Content }>>
}
type Content = Readonly<Record<string, { readonly schema: Schema }>>
type Schema = {
  readonly type?: string
  readonly enum?: readonly unknown[]
  readonly const?: unknown
  readonly anyOf?: readonly Schema[]
  readonly items?: Schema
  readonly properties?: Readonly<Record<string, Schema>>
  readonly required?: readonly string[]
  readonly description?: string
}

const PREFIX = '/api/v1/payment-gateway'
// What a shop and a service call. The back office and Stripe have doors of their own.
const TAGS: ReadonlySet<string> = new Set(['checkout', 'payments', 'refunds'])

const HEADER = `// Generated from the gateway's OpenAPI document by \`npm run client:generate\`. A test fails when it is out of date.

/** Every operation of the gateway by method and path, with what goes in and what comes out. */
export type Operations = {
`

/** The text of \`operations.ts\`. */
export function operationsText(document: Document): string {
  const entries = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods)
      .filter(([, { tags = [] }]) => tags.some((tag) => TAGS.has(tag)))
      .map(([method, operation]) => operationText(`${method.toUpperCase()} ${pathOf(path)}`, operation)),
  )
  return `${HEADER}${entries.sort().join('')}}\n`
}

function pathOf(path: string): string {
  return path.replace(PREFIX, '')
}

function operationText(name: string, operation: Operation): string {
  const parameters = (place: string): string =>
    membersText(
      (operation.parameters ?? [])
        .filter((parameter) => parameter.in === place)
        .map(({ name, required, schema }) => ({ name, isRequired: required === true, schema })),
      6,
    )
  const { requestBody } = operation
  const body = requestBody && schemaOf(requestBody.content)
  return `  /** ${operation.summary ?? name} */
  '${name}': {
    readonly path: ${parameters('path')}
    readonly query: ${parameters('query')}
    readonly body: ${body ? typeText(body, 4) : 'undefined'}
    readonly data: ${typeText(dataOf(operation), 4)}
  }
`
}

/** What is inside the envelope, or the JSON of one event of a stream. */
function dataOf({ responses }: Operation): Schema {
  const answer = schemaOf(responses['200']?.content ?? {})
  return answer.properties?.['data'] ?? answer
}

function schemaOf(content: Content): Schema {
  const schema = (content['application/json'] ?? content['text/event-stream'])?.schema
  if (!schema) throw new Error('an answer has neither JSON nor events')
  return schema
}

function typeText(schema: Schema, indent: number): string {
  if (schema.enum) return schema.enum.map((value) => literal(value)).join(' | ')
  if (schema.const !== undefined) return literal(schema.const)
  if (schema.anyOf) return schema.anyOf.map((option) => typeText(option, indent)).join(' | ')
  switch (schema.type) {
    case 'string':
    case 'boolean':
    case 'null':
      return schema.type
    case 'number':
    case 'integer':
      return 'number'
    case 'array':
      return `readonly (${typeText(schema.items ?? {}, indent)})[]`
    case 'object': {
      const required = new Set(schema.required)
      const members = Object.entries(schema.properties ?? {}).map(([name, inner]) => ({
        name,
        isRequired: required.has(name),
        schema: inner,
      }))
      return membersText(members, indent + 2)
    }
    default:
      throw new Error(`no type for ${JSON.stringify(schema)}`)
  }
}

type Member = { readonly name: string; readonly isRequired: boolean; readonly schema: Schema }

function membersText(members: readonly Member[], indent: number): string {
  if (members.length === 0) return 'undefined'
  const space = ' '.repeat(indent)
  const lines = members.map(({ name, isRequired, schema }) => {
    const comment = schema.description ? `${space}/** ${schema.description} */\n` : ''
    return `${comment}${space}readonly ${name}${isRequired ? '' : '?'}: ${typeText(schema, indent)}\n`
  })
  return `{\n${lines.join('')}${' '.repeat(indent - 2)}}`
}

function literal(value: unknown): string {
  return typeof value === 'string' ? `'${value.replaceAll("'", "\\'")}'` : JSON.stringify(value)
}
