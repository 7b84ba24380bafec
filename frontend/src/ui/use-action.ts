import { useCallback, useRef, useState } from 'react'

type ActionState<T> =
  | { readonly kind: 'idle' }
  | { readonly kind: 'busy' }
  | { readonly kind: 'done'; readonly data: T }
  | { readonly kind: 'failed'; readonly error: unknown }

export type Action<A, T> = {
  readonly state: ActionState<T>
  readonly run: (argument: A) => void
  readonly reset: () => void
}

/** Something a person sets off: what became of it, until it is set off again. For the pages that carry no query library. */
export function useAction<A, T>(act: (argument: A) => Promise<T>): Action<A, T> {
  const [state, setState] = useState<ActionState<T>>({ kind: 'idle' })
  // A second click may come before the first one shows.
  const isUnderWay = useRef(false)
  const run = (argument: A): void => {
    if (isUnderWay.current) return
    isUnderWay.current = true
    setState({ kind: 'busy' })
    const end = (next: ActionState<T>): void => {
      isUnderWay.current = false
      setState(next)
    }
    act(argument).then(
      (data) => end({ kind: 'done', data }),
      (error: unknown) => end({ kind: 'failed', error }),
    )
  }
  const reset = useCallback(() => setState({ kind: 'idle' }), [])
  return { state, run, reset }
}
