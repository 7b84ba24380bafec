import type { FastifyInstance } from 'fastify'
import type { Log } from '@passerelle/kit/log'
import type { Deliverer } from '../events/deliver.ts'
import type { Store } from '../store/store.ts'

export function servePages(
  _app: FastifyInstance,
  _deps: { store: Store; deliverer: Deliverer; log: Log },
): void {}
