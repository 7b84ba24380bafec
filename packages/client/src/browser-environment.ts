import type { WatchEnvironment } from './watch-payment.ts'

// Each of these may be the moment the payer looks again: a tab brought forward, a network that is back, a page that
// the browser kept frozen while the payer was at the bank.
const WINDOW_WAKES = ['focus', 'online', 'pageshow'] as const

/** Every page is shown once when it has loaded, which is no return. */
function isReturn(event: Event): boolean {
  return !('persisted' in event) || event.persisted === true
}

/** The page a watch runs in. */
export const browserEnvironment: WatchEnvironment = {
  random: Math.random,
  // On a server there is no one to be offline.
  isOnline: () => typeof window === 'undefined' || navigator.onLine,
  delay: (ms, signal) =>
    new Promise((resolve) => {
      const timer = setTimeout(resolve, ms)
      signal.addEventListener('abort', () => {
        clearTimeout(timer)
        resolve()
      })
    }),
  pause,
  onWake: (wake, signal) => {
    const onReturn = (event: Event): void => {
      if (isReturn(event)) wake()
    }
    for (const name of ['online', 'pageshow'] as const) window.addEventListener(name, onReturn, { signal })
    document.addEventListener(
      'visibilitychange',
      () => {
        if (document.visibilityState === 'visible') wake()
      },
      { signal },
    )
  },
}

function pause(ms: number | null, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve()
  return new Promise((resolve) => {
    const listening = new AbortController()
    let isDue = false
    const timer = ms === null ? undefined : setTimeout(onDue, ms)

    function finish(): void {
      clearTimeout(timer)
      listening.abort()
      resolve()
    }
    function onReturn(event: Event): void {
      if (isReturn(event)) finish()
    }
    function onDue(): void {
      isDue = true
      if (document.visibilityState === 'visible') finish()
    }
    function onVisibility(): void {
      if (document.visibilityState === 'visible' || isDue) finish()
    }

    const options = { signal: listening.signal }
    for (const name of WINDOW_WAKES) window.addEventListener(name, onReturn, options)
    document.addEventListener('visibilitychange', onVisibility, options)
    signal.addEventListener('abort', finish, options)
  })
}
