export type Paint = (colour: 'red' | 'green' | 'yellow' | 'dim', text: string) => string

const CODES = { red: 31, green: 32, yellow: 33, dim: 2 }

export function painter(on: boolean): Paint {
  return (colour, text) => (on && text !== '' ? `\u001B[${CODES[colour]}m${text}\u001B[0m` : text)
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
export function table(names: readonly string[], rows: readonly (readonly string[])[], paint: Paint): string {
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
  return typeof value === 'string' ? value : JSON.stringify(value)
}

/** A time as a person compares it: UTC, to the second. */
export function moment(iso: string | null): string {
  return iso === null ? '–' : iso.slice(0, 19).replace('T', ' ')
}
