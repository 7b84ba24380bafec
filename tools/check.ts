// `npm run check`: types, lint, format and the project's own rules; seconds, before every commit and first in `npm test`.
import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const ROOT = fileURLToPath(new URL('..', import.meta.url))
const BIN = join(ROOT, 'node_modules', '.bin')

const CHECKS: readonly {
  readonly name: string
  readonly command: string
  readonly args: readonly string[]
}[] = [
  { name: 'types', command: join(BIN, 'tsc'), args: ['--noEmit', '-p', '.'] },
  { name: 'lint', command: join(BIN, 'oxlint'), args: ['--quiet'] },
  { name: 'format', command: join(BIN, 'oxfmt'), args: ['--check', '.'] },
]

/** Runs every check, prints what is wrong, and returns whether all is well. */
export async function runChecks(): Promise<boolean> {
  let well = true
  for (const check of CHECKS) {
    const started = performance.now()
    const { code, output } = await run(check.command, check.args)
    const ms = Math.round(performance.now() - started)
    process.stderr.write(`passerelle: ${check.name} ${code === 0 ? 'well' : 'NOT WELL'} (${ms} ms)\n`)
    if (code !== 0) process.stderr.write(`${output}\n`)
    well &&= code === 0
  }
  return well
}

function run(command: string, args: readonly string[]): Promise<{ code: number; output: string }> {
  const { promise, resolve } = Promise.withResolvers<{ code: number; output: string }>()
  const child = spawn(command, args, { cwd: ROOT, stdio: ['ignore', 'pipe', 'pipe'] })
  let output = ''
  const collect = (chunk: Buffer): void => {
    output += chunk.toString()
  }
  child.stdout.on('data', collect)
  child.stderr.on('data', collect)
  child.on('close', (code) => resolve({ code: code ?? 1, output }))
  return promise
}

if (import.meta.main) process.exit((await runChecks()) ? 0 : 1)
