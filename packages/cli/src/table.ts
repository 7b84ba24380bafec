export type Paint = (colour: 'red' | 'green' | 'yellow' | 'dim', text: string) => string

const CODES = { red: 31, green: 32, yellow: 33, dim: 2 }

export function painter(on: boolean): Paint {
  return (colour, text) => (on && text !== '' ? `\u001B[${CODES[colour]}m${text}\u001B[0m` : text)
}

// Controls move a terminal's cursor, set its title or answer in the operator's name; the others turn the order of a
// line around. C1 counts too: U+009B begins a sequence as well as ESC does.
const UNSEEN = /[\p{Cc}\u061C\u200B-\u200F\u2028-\u202E\u2060-\u2069\uFEFF]/gu
// oxlint-disable-next-line no-control-regex -- our own escape sequences are what it finds
const OWN_COLOURS = /(\u001B\[(?:0|2|31|32|33)m|\n)/

/** Text of others as a person may look at it: what a terminal would obey is written out, `\\u001b`. */
export function shown(text: string): string {
  return text.replace(UNSEEN, (found) => `\\u${found.charCodeAt(0).toString(16).padStart(4, '0')}`)
}

/** What goes to the terminal: lines and our own colours, and nothing else that it would obey. JSON stays the same JSON. */
export function forTerminal(text: string): string {
  return text
    .split(OWN_COLOURS)
    .map((piece, index) => (index % 2 === 1 ? piece : shown(piece)))
    .join('')
}

const WORD_COLOURS: Readonly<Record<string, 'red' | 'green' | 'yellow'>> = {
  failed: 'red',
  dead: 'red',
  open: 'red',
  disputed: 'red',
  succeeded: 'green',
  processed: 'green',
  delivered: 'green',
  resolved: 'green',
  received: 'yellow',
  pending: 'yellow',
  processing: 'yellow',
}

/** Columns under their names, as wide as what stands in them; the words of a state in its colour. */
export function table(names: readonly string[], said: readonly (readonly string[])[], paint: Paint): string {
  const rows = said.map((row) => row.map(shown))
  const widths = names.map((name, index) =>
    Math.max(name.length, ...rows.map((row) => row[index]?.length ?? 0)),
  )
  const line = (cells: readonly string[], colour: (cell: string, padded: string) => string): string =>
    cells
      .map((cell, index) => colour(cell, cell.padEnd(widths[index] ?? 0)))
      .join('  ')
      .trimEnd()
  return [
    line(names, (_, padded) => paint('dim', padded)),
    ...rows.map((row) =>
      line(row, (cell, padded) => {
        const colour = WORD_COLOURS[cell]
        return colour === undefined ? padded : paint(colour, padded)
      }),
    ),
  ].join('\n')
}

/** Names and values below each other; what is null is left out. */
export function details(values: Readonly<Record<string, unknown>>, paint: Paint): string {
  const given = Object.entries(values).filter(([, value]) => value !== null && value !== undefined)
  const width = Math.max(...given.map(([name]) => name.length))
  return given.map(([name, value]) => `${paint('dim', name.padEnd(width))}  ${textOf(value)}`).join('\n')
}

export function textOf(value: unknown): string {
  if (value === null || value === undefined) return '–'
  return shown(typeof value === 'string' ? value : JSON.stringify(value))
}

/** A time as a person compares it: UTC, to the second. */
export function moment(iso: string | null): string {
  return iso === null ? '–' : iso.slice(0, 19).replace('T', ' ')
}
