export type Row = { readonly id: string }

/** Rows in the order they were first put, found by id; walked from the newest for Stripe's lists. */
export class Table<T extends Row> {
  #rows: (T | undefined)[] = []
  readonly #positions = new Map<string, number>()

  get size(): number {
    return this.#positions.size
  }

  get(id: string): T | undefined {
    const position = this.#positions.get(id)
    return position === undefined ? undefined : this.#rows[position]
  }

  /** Returns what was there before under that id. */
  put(row: T): T | undefined {
    const position = this.#positions.get(row.id)
    if (position === undefined) {
      this.#positions.set(row.id, this.#rows.push(row) - 1)
      return undefined
    }
    const before = this.#rows[position]
    this.#rows[position] = row
    return before
  }

  remove(id: string): void {
    const position = this.#positions.get(id)
    if (position === undefined) return
    this.#rows[position] = undefined
    this.#positions.delete(id)
    this.#closeHoles()
  }

  clear(): void {
    this.#rows = []
    this.#positions.clear()
  }

  *oldestFirst(): Generator<T> {
    for (const row of this.#rows) if (row !== undefined) yield row
  }

  /** From the newest, or from just below `beforeId` when given. */
  *newestFirst(beforeId?: string): Generator<T> {
    const start = beforeId === undefined ? this.#rows.length : (this.#positions.get(beforeId) ?? 0)
    for (let position = start - 1; position >= 0; position--) {
      const row = this.#rows[position]
      if (row !== undefined) yield row
    }
  }

  /** From just above `afterId` towards the newest. */
  *newerThan(afterId: string): Generator<T> {
    const start = this.#positions.get(afterId) ?? this.#rows.length
    for (let position = start + 1; position < this.#rows.length; position++) {
      const row = this.#rows[position]
      if (row !== undefined) yield row
    }
  }

  // Rows that come and go (tasks) must not make the table grow for ever.
  #closeHoles(): void {
    if (this.#rows.length < 1024 || this.#rows.length < this.#positions.size * 2) return
    this.#rows = this.#rows.filter((row) => row !== undefined)
    for (const [position, row] of this.#rows.entries()) if (row) this.#positions.set(row.id, position)
  }
}
