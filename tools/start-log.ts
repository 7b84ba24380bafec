// One log for all parts: JSON lines in, one readable line per thing that happened out.
import { styleText } from 'node:util'

type Colour = 'cyan' | 'green' | 'magenta' | 'yellow' | 'blue' | 'gray' | 'red'

const COLOUR_OF_PART: Readonly<Record<string, Colour>> = {
  postgres: 'blue',
  sandbox: 'magenta',
  booking: 'green',
  gateway: 'cyan',
  frontend: 'yellow',
}
const PART_WIDTH = 9
// What identifies a story across the parts comes first; what every line repeats is left out.
const LEFT_OUT = new Set(['level', 'time', 'service', 'name', 'msg', 'pid', 'hostname', 'requestId', 'reqId'])

/** The line to print for a line that a part wrote; what is no JSON is passed on as it is. */
export function storyLine(part: string, line: string, colours: boolean): string {
  const paint = (colour: Colour, text: string): string =>
    colours ? styleText(colour, text, { validateStream: false }) : text
  const label = paint(COLOUR_OF_PART[part] ?? 'gray', part.padEnd(PART_WIDTH))
  const entry = parse(line)
  if (entry === null) return `${new Date().toISOString().slice(11, 23)} ${label} ${line}`
  const time = String(entry['time'] ?? '').slice(11, 23)
  const message = String(entry['msg'] ?? '')
  const details = Object.entries(entry)
    .filter(([key, value]) => !LEFT_OUT.has(key) && value !== null && value !== undefined)
    .map(
      ([key, value]) => `${paint('gray', `${key}=`)}${key === 'err' ? errorText(value) : valueText(value)}`,
    )
  const level = entry['level']
  const strong =
    level === 'error' || level === 'fatal'
      ? paint('red', message)
      : level === 'warn'
        ? paint('yellow', message)
        : message
  return [time, label, strong, ...details].join(' ')
}

function parse(line: string): Record<string, unknown> | null {
  if (!line.startsWith('{')) return null
  try {
    return JSON.parse(line) as Record<string, unknown>
  } catch {
    return null
  }
}

function valueText(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value)
}

function errorText(value: unknown): string {
  const message = (value as { message?: unknown }).message
  return typeof message === 'string' ? message : JSON.stringify(value)
}
