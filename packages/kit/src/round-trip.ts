import type { Duplex } from 'node:stream'
import { types } from 'pg'
import type { ClientBase } from 'pg'

/** What may be sent with a statement; a Buffer is a value in PostgreSQL's binary format (`sql-array.ts`, bytea). */
export type Value = string | number | boolean | Date | Buffer | null

/** A statement with its values. Its name keeps it prepared on each connection: the same name means the same text. */
export type Statement = { readonly name: string; readonly text: string; readonly values: readonly Value[] }

export type Answer = {
  readonly rows: readonly Record<string, unknown>[]
  /** `INSERT`, `SELECT`, `COMMIT`, …: what the server says it did. */
  readonly command: string
}

/**
 * Sends statements in one packet and waits for all their answers: one round trip, in order, with one Sync at the end, so
 * that the server answers in one packet too. Rejects with the error of the first that failed; those behind it were not
 * run, and outside a transaction none of them had an effect.
 *
 * `pg` itself sends a Sync with every statement, and the server answers each apart.
 */
export async function roundTrip(client: ClientBase, statements: readonly Statement[]): Promise<Answer[]> {
  if (statements.length === 0) return []
  // Before anything is sent, so that nothing can fail on this side between the first statement and the last.
  const encoded = statements.map(({ name, text, values }) => ({ name, text, values: values.map(encode) }))
  const { promise, resolve, reject } = Promise.withResolvers<Answer[]>()
  client.query(new RoundTrip(encoded, { resolve, reject }))
  return promise
}

type Encoded = {
  readonly name: string
  readonly text: string
  readonly values: readonly (string | Buffer | null)[]
}

type Settle = {
  readonly resolve: (answers: Answer[]) => void
  readonly reject: (error: unknown) => void
}
type Column = { readonly name: string; readonly parse: (text: string) => unknown }
/** A statement that a connection has prepared; `columns` is null for one that returns no rows. */
type Prepared = { readonly text: string; readonly columns: readonly Column[] | null }

// A name of ours and a name that `pg` prepared itself are never the same.
const NAME_PREFIX = 'trip '
const preparedOn = new WeakMap<Wire, Map<string, Prepared>>()

/** What this uses of `pg`'s connection; its types are older than it. */
type Wire = {
  readonly stream: Duplex
  readonly close: (what: { type: 'S'; name: string }) => void
  readonly parse: (what: { name: string; text: string }) => void
  readonly describe: (what: { type: 'P'; name: string }) => void
  readonly bind: (what: { statement: string; values: Encoded['values'] }) => void
  readonly execute: () => void
  readonly sync: () => void
}

/** The query object that `pg` hands its connection and the messages of the server to. */
class RoundTrip {
  readonly statements: readonly Encoded[]
  readonly #settle: Settle
  readonly #answers: Answer[] = []
  #prepared: Map<string, Prepared> = new Map()
  #columns: readonly Column[] | null = null
  #rows: Record<string, unknown>[] = []
  #failure: { readonly error: unknown } | null = null

  constructor(statements: readonly Encoded[], settle: Settle) {
    this.statements = statements
    this.#settle = settle
  }

  submit(connection: unknown): Error | null {
    const wire = connection as Wire
    this.#prepared = preparedOn.get(wire) ?? new Map<string, Prepared>()
    preparedOn.set(wire, this.#prepared)
    const clash = this.statements.find(({ name, text }) => (this.#prepared.get(name)?.text ?? text) !== text)
    if (clash !== undefined) return new Error(`the statement ${clash.name} was prepared with another text`)
    wire.stream.cork()
    this.#send(wire)
    wire.stream.uncork()
    this.#begin()
    return null
  }

  #send(wire: Wire): void {
    const parsed = new Set<string>()
    for (const { name, text, values } of this.statements) {
      const statement = NAME_PREFIX + name
      const isPrepared = this.#prepared.has(name)
      if (!isPrepared && !parsed.has(name)) {
        // A failure may have left it prepared without our knowing; closing what is not there is no error.
        wire.close({ type: 'S', name: statement })
        wire.parse({ name: statement, text })
        parsed.add(name)
      }
      wire.bind({ statement, values })
      if (!isPrepared) wire.describe({ type: 'P', name: '' })
      wire.execute()
    }
    wire.sync()
  }

  handleRowDescription({ fields }: { fields: readonly { name: string; dataTypeID: number }[] }): void {
    this.#columns = fields.map(({ name, dataTypeID }) => ({
      name,
      parse: types.getTypeParser(dataTypeID, 'text'),
    }))
  }

  handleDataRow({ fields }: { fields: readonly (string | null)[] }): void {
    if (this.#failure !== null) return
    try {
      const row: Record<string, unknown> = {}
      const columns = this.#columns ?? []
      for (let index = 0; index < columns.length; index += 1) {
        const column = columns[index]
        const text = fields[index]
        if (column) row[column.name] = text === null || text === undefined ? null : column.parse(text)
      }
      this.#rows.push(row)
    } catch (error) {
      this.#failure = { error }
    }
  }

  handleCommandComplete({ text }: { text: string }): void {
    const statement = this.statements[this.#answers.length]
    if (statement !== undefined && !this.#prepared.has(statement.name))
      this.#prepared.set(statement.name, { text: statement.text, columns: this.#columns })
    this.#answers.push({ rows: this.#rows, command: text.split(' ', 1)[0] ?? '' })
    this.#begin()
  }

  handleError(error: unknown): void {
    this.#settle.reject(error)
  }

  handleReadyForQuery(): void {
    if (this.#failure === null) this.#settle.resolve(this.#answers)
    else this.#settle.reject(this.#failure.error)
  }

  /** The next answers are those of the next statement. */
  #begin(): void {
    const next = this.statements[this.#answers.length]
    this.#columns = next === undefined ? null : (this.#prepared.get(next.name)?.columns ?? null)
    this.#rows = []
  }
}

function encode(value: Value): string | Buffer | null {
  if (value === null || typeof value === 'string' || Buffer.isBuffer(value)) return value
  return value instanceof Date ? value.toISOString() : String(value)
}
