// The SDK's type declarations as TypeScript itself parses them, and where each name leads.
import { dirname, join } from 'node:path'
import { SyntaxKind } from 'typescript/unstable/ast'
import type { Node, SourceFile, TypeNode } from 'typescript/unstable/ast'
import {
  isExportDeclaration,
  isIdentifier,
  isImportDeclaration,
  isInterfaceDeclaration,
  isModuleBlock,
  isModuleDeclaration,
  isNamedExports,
  isNamedImports,
  isNamespaceImport,
  isPropertySignatureDeclaration,
  isStringLiteral,
  isTypeAliasDeclaration,
} from 'typescript/unstable/ast/is'
import type { InterfaceDeclaration, TypeAliasDeclaration } from 'typescript/unstable/ast'
import { API } from 'typescript/unstable/sync'

/** Where a name is read: a file and the namespaces around the place. */
export type Scope = { readonly file: string; readonly path: readonly string[] }
export type Declared = Scope & {
  readonly name: string
  readonly node: InterfaceDeclaration | TypeAliasDeclaration
}

// Of the second version only what the sandbox has of it: events and where they go.
const READ = /\/stripe\/esm\/(?:resources\/(?!V2\/(?!Core\/Event))|shared\.d\.ts)/

type FileNames = {
  readonly declared: Map<string, Declared>
  readonly imported: Map<string, { readonly file: string; readonly name: string }>
}

export class Declarations {
  readonly #files = new Map<string, FileNames>()

  constructor(sources: Iterable<SourceFile>) {
    for (const source of sources) this.#files.set(source.fileName, namesOf(source))
  }

  /** Every interface and alias, with the namespaces it stands in. */
  *all(): Generator<Declared> {
    for (const { declared } of this.#files.values()) yield* declared.values()
  }

  /** What `parts` (`Session`, `Session.Mode`) means at `scope`, as TypeScript would look it up. */
  find(parts: readonly string[], scope: Scope): Declared | undefined {
    const names = this.#files.get(scope.file)
    if (!names) return undefined
    for (let depth = scope.path.length; depth >= 0; depth--) {
      const found = names.declared.get([...scope.path.slice(0, depth), ...parts].join('.'))
      if (found) return found
    }
    const [first = '', ...rest] = parts
    const origin = names.imported.get(first)
    const whole = origin?.name === '*' ? rest : [origin?.name ?? '', ...rest]
    if (origin) return this.find(whole, { file: origin.file, path: [] })
    // A namespace of an index file only hands on what that file imports: `Radar.EarlyFraudWarning`.
    return rest.length > 0 ? this.find(rest, { file: scope.file, path: [] }) : undefined
  }
}

/** Reads the declarations of the `stripe` package under `root`; takes about a second. */
export function readDeclarations(root: string): Declarations {
  const api = new API({ cwd: root })
  try {
    const snapshot = api.updateSnapshot({ openProjects: [join(root, 'tsconfig.json')] })
    const program = snapshot.getProjects()[0]?.program
    if (!program) throw new Error(`TypeScript opened no project in ${root}.`)
    const names = program.getSourceFileNames().filter((name) => READ.test(name))
    const sources = names.map((name) => program.getSourceFile(name)).filter((source) => source !== undefined)
    if (sources.length < 100)
      throw new Error(`Only ${sources.length} declaration files of stripe were found.`)
    return new Declarations(sources)
  } finally {
    api.close()
  }
}

function namesOf(source: SourceFile): FileNames {
  const names: FileNames = { declared: new Map(), imported: new Map() }
  for (const statement of source.statements) readImports(statement, source.fileName, names)
  declare(source.statements, { file: source.fileName, path: [] }, names)
  return names
}

function declare(statements: Iterable<Node>, scope: Scope, names: FileNames): void {
  for (const statement of statements) {
    if (isInterfaceDeclaration(statement) || isTypeAliasDeclaration(statement)) {
      const name = [...scope.path, statement.name.text].join('.')
      names.declared.set(name, { ...scope, name, node: statement })
    }
    if (isModuleDeclaration(statement) && statement.body && isModuleBlock(statement.body)) {
      declare(statement.body.statements, { ...scope, path: [...scope.path, statement.name.text] }, names)
    }
  }
}

function readImports(statement: Node, from: string, names: FileNames): void {
  const isImport = isImportDeclaration(statement)
  if (!isImport && !isExportDeclaration(statement)) return
  const { moduleSpecifier } = statement
  const clause = isImport ? statement.importClause?.namedBindings : statement.exportClause
  if (!clause || !moduleSpecifier || !isStringLiteral(moduleSpecifier)) return
  const file = join(dirname(from), moduleSpecifier.text).replace(/\.js$/, '.d.ts')
  if (isNamespaceImport(clause)) names.imported.set(clause.name.text, { file, name: '*' })
  if (!isNamedImports(clause) && !isNamedExports(clause)) return
  for (const { name, propertyName } of clause.elements)
    names.imported.set(name.text, { file, name: propertyName?.text ?? name.text })
}

export type Member = { readonly name: string; readonly optional: boolean; readonly type: TypeNode }

/** The properties written in an interface itself, in order. */
export function membersOf(node: InterfaceDeclaration): Member[] {
  const members: Member[] = []
  for (const member of node.members) {
    if (!isPropertySignatureDeclaration(member) || !member.type) continue
    const { name } = member
    if (!isIdentifier(name) && !isStringLiteral(name)) continue
    const optional = member.postfixToken?.kind === SyntaxKind.QuestionToken
    members.push({ name: name.text, optional, type: member.type })
  }
  return members
}
