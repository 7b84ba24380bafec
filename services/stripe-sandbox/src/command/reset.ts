import type { Command } from './command.ts'
import { wordsOf } from './command.ts'

export const reset: Command = {
  does: 'forgets every object, event and fault; webhook endpoints and the clock stay',
  usage: ['reset'],
  options: {},
  run: async (call) => {
    wordsOf(call, 0)
    await call.sandbox.control('POST', 'reset', {})
    call.print('The sandbox is empty.')
  },
}
