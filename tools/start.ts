// `npm start`: everything on this machine, one log, one Ctrl-C.
import { fileURLToPath } from 'node:url'
import { startSentence, stopWithParent } from '@passerelle/kit/service'
import { storyLine } from './start-log.ts'
import { startStack } from './stack.ts'
import type { Stack } from './stack.ts'

const root = fileURLToPath(new URL('..', import.meta.url)).replace(/\/$/, '')
const colours = (process.stdout.isTTY && !process.env['NO_COLOR']) || process.env['FORCE_COLOR'] === '1'
const print = (part: string, line: string): void =>
  void process.stdout.write(`${storyLine(part, line, colours)}\n`)

function welcome({ urls, plan }: Stack): string {
  const stripe =
    plan.stripe.kind === 'sandbox'
      ? [
          `  Stripe sandbox   ${urls.sandbox}`,
          '',
          '  Test cards (any future date, any CVC)',
          '    4242 4242 4242 4242   paid',
          '    4000 0000 0000 9995   declined: insufficient funds',
          '    4000 0000 0000 0002   declined',
          '    4000 0025 0000 3155   3-D Secure first',
        ]
      : [
          `  Stripe           ${plan.stripe.apiBase} (${plan.stripe.livemode ? 'LIVE mode: real money' : 'test mode'})`,
        ]
  return [
    '',
    '  Passerelle is ready',
    '',
    `  Shop             ${urls.frontend}      ← open this, book a tour, pay`,
    `  Payment gateway  ${urls.gateway}/docs`,
    `  Booking service  ${urls.booking}`,
    ...stripe,
    '',
    `  Data             ${plan.databaseUrl === undefined ? plan.dataDir : 'in your DATABASE_URL'}`,
    '  Ctrl-C stops everything.',
    '',
    '',
  ].join('\n')
}

const stopping = Promise.withResolvers<void>()
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => stopping.resolve())
stopWithParent(() => stopping.resolve())
// A closed terminal must not end this process before the parts are stopped.
process.stdout.on('error', () => {})

try {
  print(
    'passerelle',
    'starting PostgreSQL, the services and the shop; the first time takes a few seconds longer',
  )
  const starting = startStack({ root, env: process.env, print })
  const stack = await Promise.race([starting, stopping.promise.then(() => null)])
  if (stack !== null) process.stdout.write(welcome(stack))
  await stopping.promise
  print('passerelle', 'stopping')
  await (await starting).stop()
  print('passerelle', 'stopped')
  process.exit(0)
} catch (error) {
  process.stderr.write(`passerelle: ${startSentence(error)}\n`)
  process.exit(1)
}
