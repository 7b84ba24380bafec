import { newSecret } from '../events/webhook-endpoint.ts'
import type { Operation } from '../http/operation.ts'
import { operation } from '../http/operation.ts'
import { list, text } from '../http/params.ts'
import { newId } from '../ids.ts'
import { API_VERSION } from '../settings.ts'
import type { Tx } from '../store/store.ts'
import type { Relay } from './relay.ts'
import { readFilter } from './request-log.ts'

const TAIL = 'request_logs'
// The command line opens its socket anew after so long. Long, because what happens meanwhile would not reach it.
const RECONNECT_AFTER_S = 86_400

/** What `stripe listen` and `stripe logs tail` open: a socket, and the secret its webhooks are signed with. */
export const listenOperations = (relay: Relay): readonly Operation[] => [
  operation(
    'POST /v1/stripecli/sessions',
    {
      device_name: text(),
      filters: text(),
      forward_connect_to_url: text(),
      forward_thin_connect_to_url: text(),
      forward_thin_to_url: text(),
      forward_to_url: text(),
      websocket_features: list(text(), 10),
    },
    (tx, { params }) => {
      const id = newId('cliws')
      const features = params.websocket_features ?? ['webhooks']
      const tails = features.includes(TAIL) ? readFilter(params.filters) : null
      const forwardTo = params.forward_to_url ?? null
      const secret = listenSecret(tx)
      relay.add({ id, forwardTo, tails, secret, device: params.device_name ?? null })
      return {
        default_version: API_VERSION,
        device_token: '',
        display_connect_filter_warning: false,
        latest_version: API_VERSION,
        reconnect_delay: RECONNECT_AFTER_S,
        secret,
        websocket_authorized_feature: features.join(','),
        websocket_id: id,
        websocket_url: `${tx.settings.publicUrl.replace(/^http/, 'ws')}/subscribe`,
      }
    },
  ),
]

/** The one secret of every terminal, the same from one day to the next: people keep it in their configuration. */
export function listenSecret(tx: Tx, given?: string): string {
  const setting = tx.get('settings', 'listen')
  const secret = given ?? (setting?.id === 'listen' ? setting.secret : newSecret())
  tx.put('settings', { id: 'listen', secret })
  return secret
}
