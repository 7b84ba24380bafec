import type { Tx } from '../store/store.ts'
import type { Params, Shape } from './params.ts'

export type Call<S extends Shape> = {
  readonly params: Params<S>
  /** The `:id` of the path, or ''. */
  readonly id: string
  /** The `:part` of the path, what belongs to `:id`, or ''. */
  readonly part: string
  readonly path: string
  /** The `Stripe-Version` of the caller. */
  readonly version: string
  /** The official `stripe` command calls. */
  readonly fromCommandLine: boolean
}

/** One route of the API: what it takes and what it does, inside one transaction. */
export type Operation = {
  readonly method: 'GET' | 'POST' | 'DELETE'
  readonly path: string
  readonly shape: Shape
  readonly run: (tx: Tx, call: Call<Shape>) => object
}

export function operation<S extends Shape>(
  route: `${'GET' | 'POST' | 'DELETE'} /${'v1' | 'v2'}/${string}`,
  shape: S,
  run: (tx: Tx, call: Call<S>) => object,
): Operation {
  const [method, path] = route.split(' ') as ['GET' | 'POST' | 'DELETE', string]
  return { method, path, shape, run: run as (tx: Tx, call: Call<Shape>) => object }
}
