import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { after, describe, it } from 'node:test'
import { identify } from './processes.ts'

const folder = mkdtempSync(join(tmpdir(), 'passerelle-test-files-'))
after(() => rmSync(folder, { recursive: true, force: true }))

const RUN = `
  import { runTestFiles } from ${JSON.stringify(new URL('test-files.ts', import.meta.url).href)}
  process.env.PASSERELLE_PARENT_PID = String(process.pid)
  const [root, file, fileMsMax] = process.argv.slice(2)
  const phases = [{ name: 'a file', files: [file], concurrency: 1 }]
  const options = { root, fileMsMax: Number(fileMsMax), signal: new AbortController().signal }
  process.exit((await runTestFiles(phases, options)) ? 0 : 1)
`

const runner = join(folder, 'run.mjs')
writeFileSync(runner, RUN)

async function runFile(name: string, fileMsMax: number): Promise<{ code: number | null; said: string }> {
  const { NODE_TEST_CONTEXT: _, ...env } = process.env
  const child = spawn(process.execPath, [runner, folder, join(folder, name), String(fileMsMax)], {
    env,
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const ended = new Promise<number | null>((resolve) => child.once('exit', resolve))
  const said = await text(child.stdout)
  return { code: await ended, said }
}

describe('a test file', () => {
  it('that passes and does not end is ended with all its processes, said so, and fails the run', async () => {
    // A process under it that ignores the wish to end, and holds the output; and a main thread that never listens again.
    const helper = "process.on('SIGTERM', () => {}); setInterval(() => {}, 1000); process.send('up')"
    writeFileSync(
      join(folder, 'stuck.test.ts'),
      `import { spawn } from 'node:child_process'
       import { writeFileSync } from 'node:fs'
       import { it } from 'node:test'
       it('passes', async () => {
         const helper = spawn(process.execPath, ['-e', ${JSON.stringify(helper)}], { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] })
         await new Promise((resolve) => helper.once('message', resolve))
         writeFileSync(${JSON.stringify(join(folder, 'pids'))}, process.pid + ' ' + helper.pid)
         setTimeout(() => { process.on('SIGTERM', () => {}); for (;;); }, 100)
       })`,
    )
    const { code, said } = await runFile('stuck.test.ts', 3000)
    assert.equal(code, 1)
    assert.match(said, /✔ passes/)
    assert.match(said, /NOT OK: .*stuck\.test\.ts was not over after 3 s and was ended, with .*setInterval/)
    const pids = readFileSync(join(folder, 'pids'), 'utf8').split(' ').map(Number)
    assert.equal(pids.length, 2)
    assert.deepEqual(pids.map(identify), [null, null])
  })

  it('that ends in time does not', async () => {
    writeFileSync(join(folder, 'fine.test.ts'), "import { it } from 'node:test'\nit('passes', () => {})")
    const { code, said } = await runFile('fine.test.ts', 60_000)
    assert.equal(code, 0, said)
    assert.doesNotMatch(said, /NOT OK/)
  })
})
