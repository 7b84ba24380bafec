// Loaded before a gateway's own code: its wall clock goes wrong when the campaign says so, as that of a host whose time
// is set by hand, or which wakes up. Timers and the monotonic clock go on as they do there.
const Real = Date
let shiftMs = 0
const now = (): number => Real.now() + shiftMs

globalThis.Date = new Proxy(Real, {
  get: (target, key, receiver): unknown => (key === 'now' ? now : Reflect.get(target, key, receiver)),
  construct: (target, args, newTarget): object =>
    Reflect.construct(target, args.length === 0 ? [now()] : args, newTarget),
  apply: () => new Real(now()).toString(),
})

process.on('message', (message) => {
  if (typeof message === 'object' && message !== null && 'shiftMs' in message)
    shiftMs = Number(message.shiftMs)
})
// Listening to the campaign is no reason to stay alive.
process.channel?.unref()
