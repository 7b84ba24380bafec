// `npm run sandbox`: the service. With a command behind it (`npm run sandbox -- trigger charge.refunded`), that command.
import { enableCompileCache } from 'node:module'

// Compiled once, not at every start: that is half of what a start takes. The launcher names a folder, others get Node's.
enableCompileCache()
const { argv, env, stdout, stderr } = process
const [command = 'start', ...rest] = argv.slice(2)
if (command === 'start' && !rest.includes('--help')) {
  const { runSandbox } = await import('./start.ts')
  await runSandbox(rest, env)
} else {
  const { run } = await import('./command/run.ts')
  const stopping = new AbortController()
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stopping.abort())
  process.exitCode = await run([command, ...rest], {
    url: env['SANDBOX_URL'] ?? 'http://127.0.0.1:12111',
    print: (text) => stdout.write(`${text}\n`),
    complain: (text) => stderr.write(`passerelle-sandbox: ${text}\n`),
    signal: stopping.signal,
  })
}
