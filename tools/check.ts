// `npm run check`: types, lint, format and the project's own rules; seconds, before every commit and first in `npm test`.
import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'

const ROOT = fileURLToPath(new URL('..', import.meta.url))
const CHECKS: readonly { readonly name: string; readonly args: readonly string[] }[] = [
  { name: 'types', args: ['node_modules/typescript/bin/tsc', '--noEmit', '-p', '.'] },
  { name: 'lint', args: ['node_modules/oxlint/bin/oxlint'] },
  { name: 'format', args: ['node_modules/oxfmt/bin/oxfmt', '--check', '.'] },
]
const RULES = { name: 'project rules', args: ['--test', 'tools/tidy.test.ts'] }

/** Runs types, lint and format, prints what is wrong, and returns the names of those that are not well. */
export async function runChecks(checks = CHECKS): Promise<readonly string[]> {
  const failed: string[] = []
  for (const { name, args } of checks) {
    const startedMs = performance.now()
    const { code, output } = await run(args)
    const tookMs = Math.round(performance.now() - startedMs)
    process.stdout.write(`passerelle: ${name} ${code === 0 ? 'ok' : 'NOT OK'} (${tookMs} ms)\n`)
    if (code === 0) continue
    process.stdout.write(`${output}\n`)
    failed.push(name)
  }
  return failed
}

function run(args: readonly string[]): Promise<{ code: number; output: string }> {
  const { promise, resolve } = Promise.withResolvers<{ code: number; output: string }>()
  // By this Node: the machine's own may be older than the tools want.
  const child = spawn(process.execPath, args, { cwd: ROOT, stdio: ['ignore', 'pipe', 'pipe'] })
  const output: Buffer[] = []
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => output.push(chunk))
  child.on('error', (error) => resolve({ code: 1, output: error.message }))
  child.on('close', (code) => resolve({ code: code ?? 1, output: Buffer.concat(output).toString() }))
  return promise
}

if (import.meta.main) process.exit((await runChecks([...CHECKS, RULES])).length === 0 ? 0 : 1)
