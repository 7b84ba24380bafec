import { SyntaxKind } from 'typescript/unstable/ast'
import type {
  EntityName,
  InterfaceDeclaration,
  Node,
  TypeNode,
  TypeReferenceNode,
} from 'typescript/unstable/ast'
import {
  isIdentifier,
  isIndexSignatureDeclaration,
  isInterfaceDeclaration,
  isLiteralTypeNode,
  isNumericLiteral,
  isPropertyAccessExpression,
  isStringLiteral,
  isTypeAliasDeclaration,
  isTypeLiteralNode,
  isTypeReferenceNode,
  isUnionTypeNode,
} from 'typescript/unstable/ast/is'
import type { Declarations, Declared, Scope } from './declarations.ts'
import { membersOf } from './declarations.ts'

/** The part of JSON Schema (2020-12) that the declarations need. */
export type Schema = {
  readonly $ref?: string
  readonly type?: 'string' | 'number' | 'boolean' | 'null' | 'array' | 'object'
  readonly enum?: readonly (string | number | boolean)[]
  readonly anyOf?: readonly Schema[]
  readonly items?: Schema
  readonly properties?: Readonly<Record<string, Schema>>
  readonly required?: readonly string[]
  readonly additionalProperties?: false | Schema
}

export type StripeSchema = {
  readonly $schema: string
  readonly $defs: Readonly<Record<string, Schema>>
  /** For each value of `object`, the definitions that have it: `customer` is a Customer or a DeletedCustomer. */
  readonly objects: Readonly<Record<string, readonly string[]>>
  /** For each event type, its definition. */
  readonly events: Readonly<Record<string, string>>
}

/** JSON Schema of every object and event that the API of the SDK's version can send, and of the named parameters. */
export function generateSchema(declarations: Declarations, parameters: readonly string[] = []): StripeSchema {
  const generator = new Generator(declarations)
  const objects: Record<string, string[]> = {}
  const events: Record<string, string> = {}
  for (const declared of declarations.all()) {
    if (!isInterfaceDeclaration(declared.node)) continue
    const tag = (name: string): string | undefined => literalOf(declared.node, name)
    const object = tag('object')
    const type = tag('type')
    // An interface inside another one's namespace is a part of it, not an object of its own.
    if (object !== undefined && !declared.name.includes('.') && object !== 'event')
      (objects[object] ??= []).push(generator.define(declared))
    else if (type !== undefined && declared.name.endsWith('Event') && declared.file.endsWith('/Events.d.ts'))
      events[type] = generator.define(declared)
    else if (parameters.includes(declared.name)) generator.define(declared)
  }
  return {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    $defs: generator.finish(),
    objects,
    events,
  }
}

class Generator {
  readonly #declarations: Declarations
  readonly #names = new Map<Declared, string>()
  readonly #defs: Record<string, Schema> = {}
  readonly #queue: (() => void)[] = []

  constructor(declarations: Declarations) {
    this.#declarations = declarations
  }

  /** The name under which the declaration is, or will be, defined. */
  define(declared: Declared): string {
    const known = this.#names.get(declared)
    if (known !== undefined) return known
    const folder = /\/resources\/(?:(.+)\/)?[^/]+$/.exec(declared.file)?.[1]?.replaceAll('/', '.')
    const name = folder === undefined ? declared.name : `${folder}.${declared.name}`
    const unique = name in this.#defs ? `${name}_${this.#names.size}` : name
    this.#names.set(declared, unique)
    this.#defs[unique] = {}
    this.#queue.push(() => {
      this.#defs[unique] = this.#schemaOf(declared)
    })
    return unique
  }

  finish(): Record<string, Schema> {
    for (let next = this.#queue.shift(); next; next = this.#queue.shift()) next()
    return this.#defs
  }

  #schemaOf(declared: Declared): Schema {
    const { node, file, path } = declared
    if (isTypeAliasDeclaration(node)) return this.#type(node.type, { file, path })
    return this.#object(node, declared)
  }

  #object(node: InterfaceDeclaration, scope: Scope): Schema {
    const properties: Record<string, Schema> = {}
    const required = new Set<string>()
    let additionalProperties: false | Schema = false
    for (const base of this.#basesOf(node, scope)) {
      Object.assign(properties, base.properties)
      for (const name of base.required ?? []) required.add(name)
    }
    for (const { name, optional, type } of membersOf(node)) {
      // `deleted?: void` says that a living object has no such field.
      if (type.kind === SyntaxKind.VoidKeyword) continue
      properties[name] = this.#type(type, scope)
      if (!optional) required.add(name)
    }
    for (const member of node.members)
      if (isIndexSignatureDeclaration(member)) additionalProperties = this.#type(member.type, scope)
    return { type: 'object', properties, required: [...required], additionalProperties }
  }

  #basesOf(node: InterfaceDeclaration, scope: Scope): Schema[] {
    const bases = (node.heritageClauses ?? []).flatMap((clause) => [...clause.types])
    return bases.map(({ expression }) => {
      const base = this.#declarations.find(expressionParts(expression), scope)
      if (!base) throw new Error(`${scope.file}: cannot read what ${node.name.text} extends`)
      return this.#schemaOf(base)
    })
  }

  #type(node: TypeNode, scope: Scope): Schema {
    if (isUnionTypeNode(node)) return this.#union([...node.types], scope)
    if (isTypeReferenceNode(node)) return this.#reference(node, scope)
    if (isLiteralTypeNode(node)) return literal(node.literal)
    if (isTypeLiteralNode(node)) {
      const [member] = node.members
      if (member && isIndexSignatureDeclaration(member))
        return { type: 'object', additionalProperties: this.#type(member.type, scope) }
    }
    switch (node.kind) {
      case SyntaxKind.StringKeyword:
        return { type: 'string' }
      case SyntaxKind.NumberKeyword:
        return { type: 'number' }
      case SyntaxKind.BooleanKeyword:
        return { type: 'boolean' }
      case SyntaxKind.UnknownKeyword:
        return {}
      default:
        throw new Error(`${scope.file}: no schema for a ${SyntaxKind[node.kind]}`)
    }
  }

  #union(types: readonly TypeNode[], scope: Scope): Schema {
    // `OtherString` keeps an enum open for receivers. A sender has no business with values that nobody published.
    const known = types.filter((type) => nameOf(type) !== 'OtherString')
    const schemas = known.map((type) => this.#type(type, scope))
    const values = schemas.flatMap((schema) => schema.enum ?? [])
    const rest = schemas.filter((schema) => schema.enum === undefined)
    const all = values.length === 0 ? rest : [{ enum: values }, ...rest]
    return all.length === 1 && all[0] ? all[0] : { anyOf: all }
  }

  #reference(node: TypeReferenceNode, scope: Scope): Schema {
    const name = nameOf(node) ?? ''
    const [argument] = node.typeArguments ?? []
    if (name === 'Decimal') return { type: 'string' }
    if (name === 'Array' && argument) return { type: 'array', items: this.#type(argument, scope) }
    if (name === 'ApiList' && argument) return listOf(this.#type(argument, scope))
    if (name === 'Emptyable' && argument) return { anyOf: [this.#type(argument, scope), { enum: [''] }] }
    if (name === 'Partial' && argument && isTypeReferenceNode(argument)) return this.#partial(argument, scope)
    return { $ref: `#/$defs/${this.define(this.#find(node, scope))}` }
  }

  #partial(node: TypeReferenceNode, scope: Scope): Schema {
    const whole = this.#schemaOf(this.#find(node, scope))
    if (whole.type === 'object') return { ...whole, required: [] }
    const parts = (whole.anyOf ?? [whole]).map(({ $ref = '' }) => $ref.slice('#/$defs/'.length))
    const declared = [...this.#names].filter(([, name]) => parts.includes(name)).map(([each]) => each)
    return { anyOf: declared.map((each) => ({ ...this.#schemaOf(each), required: [] })) }
  }

  #find(node: TypeReferenceNode, scope: Scope): Declared {
    const found = this.#declarations.find(partsOf(node.typeName), scope)
    if (!found) throw new Error(`${scope.file}: cannot find ${partsOf(node.typeName).join('.')}`)
    return found
  }
}

function listOf(item: Schema): Schema {
  return {
    type: 'object',
    properties: {
      object: { enum: ['list'] },
      data: { type: 'array', items: item },
      has_more: { type: 'boolean' },
      url: { type: 'string' },
    },
    required: ['object', 'data', 'has_more', 'url'],
    additionalProperties: false,
  }
}

function literal(node: Node): Schema {
  if (isStringLiteral(node)) return { enum: [node.text] }
  if (isNumericLiteral(node)) return { enum: [Number(node.text)] }
  if (node.kind === SyntaxKind.NullKeyword) return { type: 'null' }
  if (node.kind === SyntaxKind.TrueKeyword) return { enum: [true] }
  if (node.kind === SyntaxKind.FalseKeyword) return { enum: [false] }
  throw new Error(`no schema for the literal ${SyntaxKind[node.kind]}`)
}

function literalOf(node: Node, name: string): string | undefined {
  if (!isInterfaceDeclaration(node)) return undefined
  const type = membersOf(node).find((member) => member.name === name)?.type
  return type && isLiteralTypeNode(type) && isStringLiteral(type.literal) ? type.literal.text : undefined
}

function nameOf(node: TypeNode): string | undefined {
  return isTypeReferenceNode(node) ? partsOf(node.typeName).join('.') : undefined
}

function expressionParts(node: Node): string[] {
  if (isIdentifier(node)) return [node.text]
  return isPropertyAccessExpression(node) ? [...expressionParts(node.expression), node.name.text] : []
}

function partsOf(name: EntityName): string[] {
  return isIdentifier(name) ? [name.text] : [...partsOf(name.left), name.right.text]
}
