import { ConfigError } from './config.ts'

/** Something that runs until it is stopped. `stop` finishes what was begun and resolves when nothing is left running. */
export type Running = {
  stop: () => Promise<void>
  /** How long `stop` waits on purpose before it stops anything. */
  readonly drainMs?: number
}

const STOP_TIMEOUT_MS = 10_000
const PARENT_CHECK_MS = 250

/** A start-up failure a person can act on: printed as its sentence, without a stack. */
export class StartError extends Error {
  override name = 'StartError'
}

/**
 * Runs one part as a process: starts it, stops it in order on SIGINT, SIGTERM or when the process that started it is
 * gone, and turns start-up failures into a sentence and exit code 1. A second signal ends it at once.
 */
export async function runService(options: { name: string; start: () => Promise<Running> }): Promise<void> {
  const stopping = Promise.withResolvers<string>()
  const onSignal = (signal: string): void => {
    stopping.resolve(signal)
    process.once('SIGINT', () => process.exit(130))
  }
  process.once('SIGINT', () => onSignal('SIGINT'))
  process.once('SIGTERM', () => onSignal('SIGTERM'))
  stopWithParent(() => stopping.resolve('parent gone'))

  let running: Running
  try {
    running = await options.start()
  } catch (error) {
    process.stderr.write(`${options.name}: ${startSentence(error)}\n`)
    process.exit(1)
  }
  await stopping.promise
  const stopMsMax = STOP_TIMEOUT_MS + (running.drainMs ?? 0)
  const late = setTimeout(() => {
    process.stderr.write(`${options.name}: not stopped within ${stopMsMax} ms, ending anyway\n`)
    process.exit(1)
  }, stopMsMax)
  await running.stop()
  clearTimeout(late)
  process.exit(0)
}

/** Calls back once when the process that started this one, named by PASSERELLE_PARENT_PID, is gone. */
export function stopWithParent(onGone: () => void): void {
  const parent = Number(process.env['PASSERELLE_PARENT_PID'])
  if (!Number.isSafeInteger(parent) || parent !== process.ppid) return
  const timer = setInterval(() => {
    if (process.ppid === parent) return
    clearInterval(timer)
    onGone()
  }, PARENT_CHECK_MS)
  timer.unref()
}

/** What went wrong at start, said so that the reader knows what to do. */
export function startSentence(error: unknown): string {
  if (error instanceof ConfigError) return `cannot start:\n  ${error.problems.join('\n  ')}`
  if (error instanceof StartError) return `cannot start: ${error.message}`
  const system = error as NodeJS.ErrnoException & { port?: number; address?: string }
  switch (system.code) {
    case 'EADDRINUSE':
      return `cannot start: port ${system.port ?? '?'} is taken by another process. Stop that process or choose another port.`
    case 'EACCES':
      return `cannot start: no permission for ${system.path ?? `port ${system.port ?? '?'}`}. Choose another place or ask for the right.`
    case 'ECONNREFUSED':
      return `cannot start: nothing answers at ${system.address ?? 'the database address'}:${system.port ?? '?'}. Check DATABASE_URL and that PostgreSQL runs.`
    default:
      return `cannot start: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`
  }
}
