// `npm start`: everything on this machine, one log, one Ctrl-C.
import { fileURLToPath } from 'node:url'
import { styleText } from 'node:util'
import { startSentence, stopWithParent } from '@passerelle/kit/service'
import { startStack } from './stack.ts'
import { storyLine } from './start-log.ts'
import type { Plan } from './start-plan.ts'

const ROOT = fileURLToPath(new URL('..', import.meta.url))
const COLOURS = wantsColours()
const LABEL_WIDTH = 18

function wantsColours(): boolean {
  if (process.env['NO_COLOR']) return false
  return process.stdout.isTTY || ![undefined, '', '0'].includes(process.env['FORCE_COLOR'])
}

function print(part: string, line: string): void {
  const story = storyLine(part, line, COLOURS)
  if (story !== null) process.stdout.write(`${story}\n`)
}

function stripeOf({ stripe }: Plan): string {
  if (stripe.kind === 'sandbox') return 'the sandbox on this machine'
  return `${stripe.apiBase}, ${stripe.livemode ? 'LIVE mode: real money' : 'test mode'}`
}

function row(label: string, text: string): string {
  return label.padEnd(LABEL_WIDTH) + text
}

function welcome(plan: Plan): string {
  const { urls, stripe } = plan
  const cards = [
    '',
    'Test cards, with any future date and any CVC',
    row('  4242 4242 4242 4242', '    paid'),
    row('  4000 0000 0000 0002', '    declined'),
    row('  4000 0000 0000 9995', '    declined: insufficient funds'),
    row('  4000 0025 0000 3155', '    asks for 3-D Secure first'),
  ]
  return box([
    bold('Passerelle is ready'),
    '',
    row('Shop', `${bold(urls.frontend)}   open it, book a tour, pay`),
    row('Payment gateway', `${urls.gateway}/docs`),
    row('Booking service', urls.booking),
    row('Stripe', stripeOf(plan)),
    ...(stripe.kind === 'sandbox' ? [row('Stripe sandbox', urls.sandbox), ...cards] : []),
    '',
    row('Data', plan.databaseUrl === undefined ? plan.dataDir : 'in your DATABASE_URL'),
    row('Stop', 'Ctrl-C'),
  ])
}

function bold(text: string): string {
  return COLOURS ? styleText('bold', text, { validateStream: false }) : text
}

function box(lines: readonly string[]): string {
  // oxlint-disable-next-line no-control-regex -- colours take no room on the screen
  const widthOf = (line: string): number => line.replace(/\u001B\[\d+m/g, '').length
  const width = Math.max(...lines.map(widthOf))
  const body = lines.map((line) => `│ ${line}${' '.repeat(width - widthOf(line))} │`)
  return ['', `┌${'─'.repeat(width + 2)}┐`, ...body, `└${'─'.repeat(width + 2)}┘`, '', ''].join('\n')
}

const stopping = new AbortController()
const stopAsked = new Promise<void>((resolve) => {
  stopping.signal.addEventListener('abort', () => resolve())
})
function askToStop(why: string): void {
  if (stopping.signal.aborted) return
  print('passerelle', `stopping (${why}) …`)
  stopping.abort()
}
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => askToStop(signal))
stopWithParent(() => askToStop('what started this is gone'))
// A closed terminal must not end this process before the parts are stopped.
process.stdout.on('error', () => {})
process.stderr.on('error', () => {})

try {
  print('passerelle', 'starting; the first time takes some seconds longer …')
  const stack = await startStack({ root: ROOT, env: process.env, print, signal: stopping.signal })
  if (!stopping.signal.aborted) process.stdout.write(welcome(stack.plan))
  await stopAsked
  await stack.stop()
} catch (error) {
  if (!stopping.signal.aborted) {
    process.stderr.write(`passerelle: ${startSentence(error)}\n`)
    process.exit(1)
  }
}
print('passerelle', 'stopped')
process.exit(0)
