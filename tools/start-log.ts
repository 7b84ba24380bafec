// One log for all parts: JSON lines in, one readable line per thing that happened out.
import { styleText } from 'node:util'

type Colour = 'cyan' | 'green' | 'magenta' | 'yellow' | 'blue' | 'gray' | 'red'
type Entry = Readonly<Record<string, unknown>>

const COLOUR_OF_PART: Readonly<Record<string, Colour>> = {
  postgres: 'blue',
  sandbox: 'magenta',
  booking: 'green',
  gateway: 'cyan',
  frontend: 'yellow',
}
const PART_WIDTH = 10
const MESSAGE_WIDTH = 24
// What every line repeats.
const LEFT_OUT = new Set(['level', 'time', 'service', 'name', 'msg', 'pid', 'hostname', 'requestId', 'reqId'])
// What a story is followed by, in this order and before the rest.
const FIRST = ['bookingId', 'paymentId', 'sessionId', 'eventId', 'type', 'status']

/**
 * The line to print for a line that a part wrote, or null for one that is no part of any story. What is no JSON is
 * passed on as it is.
 */
export function storyLine(part: string, line: string, colours: boolean): string | null {
  const paint = (colour: Colour, text: string): string =>
    colours ? styleText(colour, text, { validateStream: false }) : text
  const label = paint(COLOUR_OF_PART[part] ?? 'gray', part.padEnd(PART_WIDTH))
  const entry = parse(line)
  if (entry === null) return `${paint('gray', clock(new Date().toISOString()))} ${label} ${line}`
  if (isNoise(entry)) return null
  const time = paint('gray', clock(textOf(entry['time'])))
  // Requests are the ground on which the rest stands out.
  if (isPlainRequest(entry)) return `${time} ${label} ${paint('gray', requestText(entry))}`
  const details = detailsOf(entry).map(
    ([key, value]) => `${paint('gray', `${key}=`)}${valueText(key, value)}`,
  )
  const level = textOf(entry['level'])
  const message = textOf(entry['msg']).padEnd(details.length > 0 ? MESSAGE_WIDTH : 0)
  const loud = level === 'error' || level === 'fatal' ? 'red' : level === 'warn' ? 'yellow' : null
  return [time, label, loud === null ? message : paint(loud, message), ...details].join(' ')
}

/** A browser's question before the request, and Fastify's own line beside the part's. */
function isNoise(entry: Entry): boolean {
  const isPreflight = entry['method'] === 'OPTIONS' && entry['status'] === 204
  // `payment.changed` tells the same story by payment; this one is for whoever follows an event.
  if (entry['msg'] === 'stripe_events.stored') return true
  return isPreflight || textOf(entry['msg']).startsWith('Server listening at ')
}

function isPlainRequest(entry: Entry): boolean {
  return entry['msg'] === 'request.answered' && Number(entry['status']) < 400
}

function requestText(entry: Entry): string {
  const { method, path, status, durationMs } = entry
  return [method, path, status, `${Number(durationMs)} ms`].map(String).join(' ')
}

function detailsOf(entry: Entry): readonly (readonly [string, unknown])[] {
  const rank = (key: string): number => (FIRST.includes(key) ? FIRST.indexOf(key) : FIRST.length)
  return Object.entries(entry)
    .filter(([key, value]) => !LEFT_OUT.has(key) && value !== null && value !== undefined)
    .toSorted(([one], [other]) => rank(one) - rank(other))
}

/** Hours to milliseconds of an ISO time, in UTC. */
function clock(time: string): string {
  return time.slice(11, 23)
}

function parse(line: string): Entry | null {
  if (!line.startsWith('{')) return null
  try {
    return JSON.parse(line) as Entry
  } catch {
    return null
  }
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : ''
}

function valueText(key: string, value: unknown): string {
  if (key === 'err') {
    const { message } = value as { message?: unknown }
    return typeof message === 'string' ? message : JSON.stringify(value)
  }
  return typeof value === 'string' ? value : JSON.stringify(value)
}
