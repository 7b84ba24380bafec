// The project's own rules, checked in the time it takes to read the files once. Each names what to do instead.
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'
import { describe, it } from 'node:test'
import { fileURLToPath } from 'node:url'

const ROOT = fileURLToPath(new URL('..', import.meta.url))
const FILES = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard'], {
  cwd: ROOT,
  encoding: 'utf8',
})
  .split('\n')
  .filter((path) => path !== '' && existsSync(join(ROOT, path)))
const read = (path: string): string => readFileSync(join(ROOT, path), 'utf8')
const code = FILES.filter((path) => /\.(?:ts|tsx|mjs)$/.test(path))
const isTest = (path: string): boolean =>
  path.endsWith('.test.ts') || /(?:^|\/)(?:test|e2e|chaos|bench)\//.test(path)

/** The places where `pattern` stands, as `path:line`. */
function places(paths: readonly string[], pattern: RegExp): string[] {
  return paths.flatMap((path) =>
    read(path)
      .split('\n')
      .flatMap((line, index) => (pattern.test(line) ? [`${path}:${index + 1}`] : [])),
  )
}

describe('tidy', () => {
  it('reads the environment in config files, mains and tools only: pass a configuration instead', () => {
    const allowed = /(?:^|\/)(?:config|main|log|service|test-database)\.ts$|^tools\//
    assert.deepEqual(
      places(
        code.filter((path) => !isTest(path) && !allowed.test(path)),
        /process\.env/,
      ),
      [],
    )
  })

  it('calls Stripe in *.client.ts only: go through the client', () => {
    const others = code.filter(
      (path) => !isTest(path) && !path.endsWith('.client.ts') && !path.startsWith('services/stripe-sandbox/'),
    )
    assert.deepEqual(places(others, /^import (?!type ).*from 'stripe'/), [])
  })

  it('begins and commits transactions in kit only: use inTransaction', () => {
    const others = code.filter((path) => !isTest(path) && !path.startsWith('packages/kit/'))
    assert.deepEqual(places(others, /query\(['"`](?:begin|commit|rollback)/i), [])
  })

  it('keeps the gateway and the booking service apart: they share contracts and kit, and speak HTTP', () => {
    assert.deepEqual(
      places(
        code.filter((path) => path.startsWith('services/payment-gateway/')),
        /@passerelle\/booking-management/,
      ),
      [],
    )
    assert.deepEqual(
      places(
        code.filter((path) => path.startsWith('services/booking-management/')),
        /@passerelle\/(?:payment-gateway|stripe-sandbox)/,
      ),
      [],
    )
    assert.deepEqual(
      places(
        code.filter((path) => path.startsWith('services/stripe-sandbox/')),
        /@passerelle\/(?:payment-gateway|booking-management)/,
      ),
      [],
    )
    assert.deepEqual(
      places(
        code.filter((path) => path.startsWith('chaos/')),
        /@passerelle\/(?:payment-gateway|booking-management|contracts)|from '.*services\/payment-gateway/,
      ),
      [],
    )
    assert.deepEqual(
      places(
        code.filter((path) => path.startsWith('frontend/src/')),
        /@passerelle\/kit/,
      ),
      [],
    )
  })

  it('leaves nothing marked for later: open an issue instead', () => {
    assert.deepEqual(
      places(
        code.filter((path) => path !== 'tools/tidy.test.ts'),
        /\b(?:TODO|FIXME|XXX)\b/,
      ),
      [],
    )
  })

  it('names files in kebab-case', () => {
    assert.deepEqual(
      code.filter((path) => !/^[a-z0-9.-]+$/.test(path.split('/').at(-1) ?? '')),
      [],
    )
  })

  it('names in docs/flows.md and docs/promises.md only files that are there', () => {
    for (const document of ['docs/flows.md', 'docs/promises.md']) {
      const named = [
        ...read(document).matchAll(/`((?:services|packages|frontend|tools|e2e|chaos|bench)\/[^`\s]+\.ts)`/g),
      ].map(([, path]) => path ?? '')
      assert.ok(named.length > 5)
      assert.deepEqual(
        named.filter((path) => !existsSync(join(ROOT, path))),
        [],
        document,
      )
    }
  })

  it('links in every document to files that are there', () => {
    const broken = FILES.filter((path) => path.endsWith('.md')).flatMap((path) =>
      [...read(path).matchAll(/\]\((?!https?:|#|mailto:)([^)#\s]+)/g)]
        .map(([, link]) => normalize(join(dirname(path), link ?? '')))
        .filter((target) => !existsSync(join(ROOT, target)))
        .map((target) => `${path} → ${target}`),
    )
    assert.deepEqual(broken, [])
  })

  it('justifies every runtime dependency in docs/dependencies.md, and pins it exactly', () => {
    const documented = read('docs/dependencies.md')
    for (const path of FILES.filter((file) => file.endsWith('package.json'))) {
      const { dependencies = {} } = JSON.parse(read(path)) as { dependencies?: Record<string, string> }
      for (const [name, version] of Object.entries(dependencies)) {
        assert.ok(
          documented.includes(`\`${name}\``),
          `${name} of ${path} has no line in docs/dependencies.md`,
        )
        assert.match(version, /^\d/, `${name} of ${path} is not pinned`)
      }
    }
  })

  it('names in docs/security.md a test that exists for every threat', () => {
    const rows = read('docs/security.md')
      .split('\n')
      .filter((line) => line.startsWith('| ') && !/^\| (?:---|threat|\s+\| threat)/.test(line))
    for (let number = 1; number <= 32; number += 1)
      assert.ok(
        rows.some((row) => row.startsWith(`| W${number} `)),
        `W${number} has no row`,
      )
    assert.ok(rows.length > 45)
    for (const row of rows) {
      const named = [...row.matchAll(/`([^`]+\.test\.ts)` — (.+?)(?=<br>| \|$|\s+\|$)/g)]
      assert.ok(named.length > 0, `no test: ${row}`)
      for (const [, path = '', title = ''] of named)
        assert.ok(
          existsSync(join(ROOT, path)) && read(path).includes(title.trim()),
          `${path} has no test "${title}"`,
        )
    }
  })

  it('has a heading in docs/operations.md for every error line of the log', () => {
    const runbook = read('docs/operations.md')
    const sources = code.filter(
      (path) => /^(?:services|packages|frontend)\/.*\.ts$/.test(path) && !isTest(path),
    )
    const names = sources.flatMap((path) =>
      [...read(path).matchAll(/\.(?:error|fatal)\(\s*(?:\{[^;]*?\}|\w+),\s*'([a-z_]+\.[a-z_]+)'/g)].map(
        ([, name]) => name ?? '',
      ),
    )
    assert.ok(names.length >= 15)
    assert.deepEqual(
      [...new Set(names)].filter((name) => !runbook.includes(`\n### ${name}\n`)),
      [],
    )
  })

  it('numbers migrations and decisions without gaps or twins: the later one takes the next number', () => {
    for (const folder of [
      'services/payment-gateway/migrations/',
      'services/booking-management/migrations/',
      'docs/decisions/',
    ]) {
      const numbers = FILES.filter((path) => path.startsWith(folder)).map((path) =>
        Number(path.slice(folder.length, folder.length + 4)),
      )
      assert.ok(numbers.length > 0, folder)
      assert.deepEqual(
        numbers.toSorted((a, b) => a - b),
        numbers.map((_, index) => index + 1),
        folder,
      )
    }
  })

  it('keeps download addresses out of the lockfile', () => {
    assert.doesNotMatch(read('package-lock.json'), /"resolved": "https?:/)
  })
})
