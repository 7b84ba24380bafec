import {
  closeSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  writeSync,
  existsSync,
} from 'node:fs'
import { join } from 'node:path'
import type { Row } from './table.ts'

/** One committed transaction: rows put and rows removed, by table. */
export type Change = { readonly t: string; readonly put?: Row; readonly remove?: string }

const NAME = 'journal.jsonl'
const CHUNK_ROWS = 200

/**
 * An append-only file, one line per transaction. `append` returns once the line is with the operating system;
 * `appendSoon` hands it over with what comes next, or within this turn of the event loop.
 */
export type Journal = {
  append(changes: readonly Change[]): void
  appendSoon(changes: readonly Change[]): void
  close(): void
}

export const noJournal: Journal = { append: () => {}, appendSoon: () => {}, close: () => {} }

/** Every change of the journal in order. A torn last line, left by a kill in the middle of a write, is dropped. */
export function readJournal(directory: string): Change[] {
  const path = join(directory, NAME)
  if (!existsSync(path)) return []
  const lines = readFileSync(path, 'utf8').split('\n')
  const changes: Change[] = []
  for (const [index, line] of lines.entries()) {
    if (line === '') continue
    const transaction = parseLine(line)
    if (transaction) changes.push(...transaction)
    else if (index < lines.length - 1) {
      throw new Error(`${path}: line ${index + 1} is damaged. Move the file away to start empty.`)
    }
  }
  return changes
}

/** Replaces the journal by the rows as they are now (atomically: a kill leaves the old or the new one) and opens it. */
export function openJournal(directory: string, rows: Iterable<Change>): Journal {
  mkdirSync(directory, { recursive: true })
  const path = join(directory, NAME)
  const fresh = `${path}.new`
  const file = openSync(fresh, 'w', 0o600)
  let chunk: Change[] = []
  for (const row of rows) {
    chunk.push(row)
    if (chunk.length < CHUNK_ROWS) continue
    writeText(file, lineOf(chunk))
    chunk = []
  }
  if (chunk.length > 0) writeText(file, lineOf(chunk))
  fsyncSync(file)
  closeSync(file)
  renameSync(fresh, path)
  return appendTo(openSync(path, 'a', 0o600))
}

function appendTo(file: number): Journal {
  let waiting = ''
  const flush = (): void => {
    const text = waiting
    waiting = ''
    if (text !== '') writeText(file, text)
  }
  return {
    append: (changes) => {
      waiting += lineOf(changes)
      flush()
    },
    appendSoon: (changes) => {
      if (waiting === '') setImmediate(flush)
      waiting += lineOf(changes)
    },
    close: () => {
      flush()
      closeSync(file)
    },
  }
}

// Of a row that changed several times only the last state matters.
function lineOf(changes: readonly Change[]): string {
  const last = new Map<string, Change>()
  for (const change of changes) {
    const key = `${change.t} ${change.put?.id ?? change.remove ?? ''}`
    last.delete(key)
    last.set(key, change)
  }
  return `${JSON.stringify([...last.values()])}\n`
}

function writeText(file: number, text: string): void {
  const bytes = Buffer.from(text)
  let written = 0
  while (written < bytes.length) written += writeSync(file, bytes, written)
}

function parseLine(line: string): Change[] | undefined {
  try {
    const value: unknown = JSON.parse(line)
    return Array.isArray(value) ? (value as Change[]) : undefined
  } catch {
    return undefined
  }
}
