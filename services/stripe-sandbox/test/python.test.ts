// A client that shares no code with the sandbox: Stripe's library for Python, as Debian packages it.
import assert from 'node:assert/strict'
import { execFile, spawnSync } from 'node:child_process'
import { describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { startWorld } from './merchant.ts'

const SCRIPT = fileURLToPath(new URL('python_client.py', import.meta.url))
// Another Python in the path would not see the packages of the system's.
const PYTHONS = ['/usr/bin/python3', 'python3']
const python = PYTHONS.find((name) => spawnSync(name, ['-c', 'import stripe']).status === 0)

describe(
  'Stripe’s library for Python',
  {
    skip:
      python === undefined && 'no python3 with the module stripe (Debian: apt-get install python3-stripe)',
  },
  () => {
    test('pays, refunds, pages, reads errors and verifies webhooks', async () => {
      const world = await startWorld({
        settings: { chargeUpdatedDelayMs: 60_000, disputeDecidedDelayMs: 5000 },
      })
      try {
        const run = promisify(execFile)(python ?? '', [SCRIPT, world.sandbox.url], { timeout: 60_000 })
        const { stderr } = await run.catch((error: Error & { stderr?: string }) =>
          assert.fail(error.stderr ?? error.message),
        )
        assert.match(stderr, /Ran 8 tests in .*\n\nOK/)
      } finally {
        await world.stop()
      }
    })
  },
)
