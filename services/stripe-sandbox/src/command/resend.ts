import type { Command } from './command.ts'
import { CommandError, textOption, UsageError, wordsOf } from './command.ts'

type Attempt = { readonly status: number | null; readonly error: string | null } | undefined
type Sent = { readonly endpoint: string; readonly attempt: Attempt }

export const resend: Command = {
  does: 'sends an event again, and says what was answered',
  usage: ['resend <evt_…> [--webhook-endpoint <we_…>]'],
  options: { 'webhook-endpoint': 'string' },
  run: async (call) => {
    const [id] = wordsOf(call, 1)
    if (id === undefined) throw new UsageError('Say which event: evt_….')
    const endpoint = textOption(call, 'webhook-endpoint')
    const body = endpoint === undefined ? {} : { webhook_endpoint: endpoint }
    const answer = await call.sandbox.control('POST', `events/${encodeURIComponent(id)}/resend`, body)
    const attempts = answer['attempts'] as Sent[]
    if (attempts.length === 0) {
      throw new CommandError(
        'Nobody to send it to. Start "passerelle-sandbox listen --forward-to <url>", or make a webhook endpoint.',
      )
    }
    for (const { endpoint: to, attempt } of attempts) call.print(`${id} to ${to}: ${outcome(attempt)}`)
    if (attempts.every(({ attempt }) => !isSuccess(attempt))) throw new CommandError('Nobody took it.')
  },
}

function isSuccess(attempt: Attempt): boolean {
  return typeof attempt?.status === 'number' && attempt.status >= 200 && attempt.status < 300
}

function outcome(attempt: Attempt): string {
  if (!attempt) return 'not sent'
  return attempt.status === null ? (attempt.error ?? 'no answer') : String(attempt.status)
}
