import { configOf } from './config.ts'
import { run } from './run.ts'

const { argv, env, stdout, stderr } = process
process.exitCode = await run(argv.slice(2), {
  config: (options) => configOf(env, options),
  print: (text) => stdout.write(`${text}\n`),
  complain: (text) => stderr.write(`passerelle: ${text}\n`),
  paint: stdout.isTTY && !env['NO_COLOR'],
})
