import type { Clock } from './clock.ts'
import type { Change, Journal } from './journal.ts'
import { noJournal, openJournal, readJournal } from './journal.ts'
import { lockDirectory } from './lock.ts'
import type { Records, TableName } from './records.ts'
import { TABLES } from './records.ts'
import { Table } from './table.ts'
import { ApiError } from '../errors.ts'
import type { Settings } from '../settings.ts'

/** The API call that causes what happens in a transaction; null ids when nobody called (time, the payer). */
export type Cause = { readonly requestId: string | null; readonly idempotencyKey: string | null }

export const NOBODY: Cause = { requestId: null, idempotencyKey: null }

/** Reads of what is remembered now. */
export type Reads = {
  get<N extends TableName>(table: N, id: string): Records[N] | undefined
  table<N extends TableName>(table: N): Table<Records[N]>
  readonly settings: Settings
  /** The sandbox's time in whole seconds. */
  nowSeconds(): number
}

/** One all-or-nothing change, synchronous from begin to commit. Time stands still inside it. */
export type Tx = Reads & {
  readonly nowMs: number
  /** Whole seconds, as Stripe's `created`. */
  readonly now: number
  readonly cause: Cause
  put<N extends TableName>(table: N, row: Records[N]): Records[N]
  remove(table: TableName, id: string): void
}

type Tables = { [N in TableName]: Table<Records[N]> }
type Undo = {
  readonly table: TableName
  readonly id: string
  readonly before: Records[TableName] | undefined
}

/** Everything the sandbox remembers: tables in memory, and every commit in the journal before anyone is answered. */
export class Store implements Reads {
  readonly clock: Clock
  readonly settings: Settings
  readonly #listeners: ((changes: readonly Change[]) => void)[] = []
  readonly #tables: Tables
  readonly #journal: Journal
  #busy = false
  #unlock = (): void => {}

  constructor(clock: Clock, settings: Settings, directory: string | undefined) {
    this.clock = clock
    this.settings = settings
    this.#tables = Object.fromEntries(TABLES.map((name) => [name, new Table()])) as unknown as Tables
    if (directory === undefined) {
      this.#journal = noJournal
      return
    }
    this.#unlock = lockDirectory(directory)
    for (const change of readJournal(directory)) this.#replay(change)
    this.#journal = openJournal(directory, this.#everyRow())
  }

  get<N extends TableName>(table: N, id: string): Records[N] | undefined {
    return this.#tables[table].get(id)
  }

  nowSeconds(): number {
    return Math.floor(this.clock.nowMs() / 1000)
  }

  table<N extends TableName>(table: N): Table<Records[N]> {
    return this.#tables[table]
  }

  /** Commits what `work` wrote when it returns or throws an ApiError that keeps its effects; undoes it otherwise. */
  transact<T>(cause: Cause, work: (tx: Tx) => T): T {
    return this.#run(cause, work, (changes) => this.#journal.append(changes))
  }

  /** As `transact`, for what nobody is answered about: it may be written a moment later, and lost by a kill till then. */
  note(work: (tx: Tx) => unknown): void {
    this.#run(NOBODY, work, (changes) => this.#journal.appendSoon(changes))
  }

  #run<T>(cause: Cause, work: (tx: Tx) => T, write: (changes: readonly Change[]) => void): T {
    if (this.#busy) throw new Error('Transactions do not nest.')
    this.#busy = true
    const changes: Change[] = []
    const undo: Undo[] = []
    const commit = (): void => {
      if (changes.length > 0) write(changes)
      undo.length = 0
      this.#busy = false
      for (const listen of this.#listeners) listen(changes)
    }
    try {
      const result = work(this.#begin(cause, changes, undo))
      commit()
      return result
    } catch (error) {
      if (error instanceof ApiError && error.keepsEffects) commit()
      else this.#rollback(undo)
      throw error
    } finally {
      this.#busy = false
    }
  }

  /** Calls back after every commit, with what changed. */
  onCommit(listener: (changes: readonly Change[]) => void): void {
    this.#listeners.push(listener)
  }

  /** Forgets every row of the tables. */
  clear(tables: readonly TableName[]): void {
    const changes: Change[] = []
    for (const name of tables) {
      for (const row of this.#tables[name].oldestFirst()) changes.push({ t: name, remove: row.id })
      this.#tables[name].clear()
    }
    if (changes.length > 0) this.#journal.append(changes)
  }

  close(): void {
    this.#journal.close()
    this.#unlock()
  }

  #begin(cause: Cause, changes: Change[], undo: Undo[]): Tx {
    const nowMs = this.clock.nowMs()
    return {
      nowMs,
      now: Math.floor(nowMs / 1000),
      cause,
      settings: this.settings,
      nowSeconds: () => Math.floor(nowMs / 1000),
      get: (table, id) => this.get(table, id),
      table: (table) => this.table(table),
      put: (table, row) => {
        undo.push({ table, id: row.id, before: this.#tables[table].put(row) })
        changes.push({ t: table, put: row })
        return row
      },
      remove: (table, id) => {
        undo.push({ table, id, before: this.get(table, id) })
        changes.push({ t: table, remove: id })
        this.#tables[table].remove(id)
      },
    }
  }

  #rollback(undo: Undo[]): void {
    for (const { table, id, before } of undo.toReversed()) {
      const rows = this.#tables[table] as Table<Records[TableName]>
      if (before) rows.put(before)
      else rows.remove(id)
    }
  }

  #replay(change: Change): void {
    const rows = (this.#tables as Partial<Record<string, Table<Records[TableName]>>>)[change.t]
    if (change.put) rows?.put(change.put as Records[TableName])
    if (change.remove !== undefined) rows?.remove(change.remove)
  }

  *#everyRow(): Generator<Change> {
    for (const name of TABLES) for (const row of this.#tables[name].oldestFirst()) yield { t: name, put: row }
  }
}
