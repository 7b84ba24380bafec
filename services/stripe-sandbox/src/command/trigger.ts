import { setTimeout as delay } from 'node:timers/promises'
import type { Call, Command } from './command.ts'
import { CommandError, UsageError, wordsOf } from './command.ts'
import { RECIPES } from './recipes.ts'

type Event = {
  readonly id: string
  readonly data: { readonly object: { readonly id?: string; readonly object: string } }
}

// The slowest of them, a debit or a refund that fails, takes five seconds of the sandbox's time.
const PATIENCE_MS = 15_000
const LOOK_EVERY_MS = 100

export const trigger: Command = {
  does: 'makes an event happen, with everything that leads to it',
  usage: ['trigger <event>', 'trigger --list'],
  options: { list: 'boolean' },
  run: async (call) => {
    const [type] = wordsOf(call, 1)
    if (call.options['list']) {
      call.print(Object.keys(RECIPES).join('\n'))
      return
    }
    if (type === undefined) throw new UsageError('Say which event; "trigger --list" names them.')
    const recipe = RECIPES[type]
    if (recipe === undefined) {
      throw new UsageError(
        `The sandbox cannot make ${type} happen by itself; "trigger --list" names what it can.`,
      )
    }
    const before = await newest(call, type)
    await recipe(call.sandbox)
    const event = await appeared(call, type, before?.id)
    const { object } = event.data
    call.print(`${type} ${event.id} about ${object.id ?? `the ${object.object}`}`)
  },
}

async function newest({ sandbox }: Call, type: string): Promise<Event | undefined> {
  const page = await sandbox.api('GET', '/v1/events', { type, limit: 1 })
  return (page['data'] as Event[])[0]
}

async function appeared(call: Call, type: string, before: string | undefined): Promise<Event> {
  for (
    const end = Date.now() + PATIENCE_MS;
    Date.now() < end && !call.signal.aborted;
    await delay(LOOK_EVERY_MS)
  ) {
    const event = await newest(call, type)
    if (event && event.id !== before) return event
  }
  throw new CommandError(
    `All is done for ${type}, which happens later by the sandbox's clock: "passerelle-sandbox clock advance 1h" brings it on.`,
  )
}
