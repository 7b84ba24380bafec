import { pretty } from '../http/pretty.ts'
import type { EventRecord } from '../store/records.ts'

// An event keeps its object as the text that is sent. It is written while the object is at hand, once for all endpoints;
// and a payment's events are most of what the sandbox remembers: one text costs the garbage collector less than the many
// objects in it.

const HOLE = 'here'
const [BEFORE = '', AFTER = ''] = pretty([[HOLE]]).split(JSON.stringify(HOLE))

/** The object in JSON, at the depth at which an event shows it. */
export function wireText(object: object): string {
  return pretty([[object]]).slice(BEFORE.length, -AFTER.length)
}

type Bearer = {
  readonly object?: string
  readonly id?: unknown
  readonly payment_intent?: unknown
  readonly charge?: unknown
}

/** The ids that the object bears: its own, its payment's, its charge's. */
export function idsOf({ id, payment_intent: payment, charge }: Bearer): string[] {
  return [id, payment, charge].filter((each) => typeof each === 'string')
}

/** What the event is about, by id. */
export function aboutOf(event: EventRecord): readonly string[] {
  return event.about ?? idsOf(objectOf(event))
}

/** The object as it was when the event happened. */
export function objectOf(event: EventRecord): object {
  return typeof event.object === 'string' ? (JSON.parse(event.object) as object) : event.object
}
