import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { keepPostgres } from './kept-postgres.ts'
import { identify } from './processes.ts'

const WAIT_MS_MAX = 20_000

let directory: string
before(() => {
  directory = mkdtempSync(join(tmpdir(), 'passerelle-kept-'))
})
after(() => rmSync(directory, { recursive: true, force: true }))

async function until(isSo: () => boolean): Promise<void> {
  for (const end = Date.now() + WAIT_MS_MAX; !isSo(); await sleep(2)) assert.ok(Date.now() < end, 'in time')
}

function runningPid(): number {
  const file = join(directory, 'cluster', 'postmaster.pid')
  return existsSync(file) ? Number(readFileSync(file, 'utf8').split('\n')[0]) : 0
}

function isListening(port: number): Promise<boolean> {
  const socket = connect({ host: '127.0.0.1', port })
  return new Promise((resolve) => {
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false))
  }).finally(() => socket.destroy()) as Promise<boolean>
}

describe('a PostgreSQL that is kept running', () => {
  it('is started again on its port when it dies, and leaves no server when it is stopped', async () => {
    const pids: number[] = []
    const kept = await keepPostgres({ directory, print: () => {}, onProcess: (pid) => pids.push(pid) })
    process.kill(kept.first.pid, 'SIGKILL')
    await until(() => pids.length === 2)
    assert.ok(await isListening(kept.first.port))
    await kept.stop()
    assert.equal(await isListening(kept.first.port), false)
  })

  it('leaves none either when it is stopped while it is on its way up again', async () => {
    for (const isOnItsWay of [
      (lines: readonly string[], _first: number) => lines.length === 1,
      (_lines: readonly string[], first: number) => ![0, first].includes(runningPid()),
    ]) {
      const lines: string[] = []
      const pids: number[] = []
      const kept = await keepPostgres({
        directory,
        print: (line) => lines.push(line),
        onProcess: (pid) => pids.push(pid),
      })
      process.kill(kept.first.pid, 'SIGKILL')
      await until(() => isOnItsWay(lines, kept.first.pid))
      assert.equal(pids.length, 1, 'not up again yet')
      const onItsWay = runningPid()
      await kept.stop()
      assert.equal(identify(onItsWay), null)
      assert.equal(await isListening(kept.first.port), false)
      assert.deepEqual(lines, ['has stopped and is started again'])
    }
  })
})
