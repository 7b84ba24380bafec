import { appendFileSync } from 'node:fs'
import { renderEvent } from './events/event.ts'
import { renderThinEvent, thinType } from './events/thin-event.ts'
import { API_VERSION } from './settings.ts'
import type { EventRecord } from './store/records.ts'
import type { Store } from './store/store.ts'

/** One thing the sandbox sent, or for an event will send to whoever listens. */
export type Sent = {
  readonly kind: 'answer' | 'event'
  /** The call that it answers, or the event's type. */
  readonly what: string
  /** The API version it is rendered for. */
  readonly version: string
  readonly body: unknown
}

export type OnSent = (sent: Sent) => void

/** Hands on every event as it is recorded, whole and thin, whether or not an endpoint listens. */
export function watchEvents(store: Store, onSent: OnSent): void {
  store.onCommit((changes) => {
    for (const { t, put } of changes) {
      if (t !== 'events' || !put) continue
      const event = put as EventRecord
      const tell = (what: string, body: object): void =>
        onSent({ kind: 'event', what, version: API_VERSION, body })
      const thin = thinType(event.type)
      if (thin !== null) tell(thin, renderThinEvent(event))
      if (thin !== event.type) tell(event.type, renderEvent(store, event))
    }
  })
}

/** Writes what is sent to a file, one line of JSON each: for checking it against a schema, or for reading. */
export function wireLog(file: string): OnSent {
  return (sent) => appendFileSync(file, `${JSON.stringify(sent)}\n`)
}
