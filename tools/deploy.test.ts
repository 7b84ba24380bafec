// What is handed to those who run this: it must name files and variables that exist, and start what it says.
import assert from 'node:assert/strict'
import { execFileSync, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import {
  cpSync,
  existsSync,
  globSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
} from 'node:fs'
import { createServer } from 'node:http'
import type { ServerResponse } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { AddressInfo, Server } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { describe, it } from 'node:test'
import { fileURLToPath } from 'node:url'
import { testCertificate } from '@passerelle/kit/test-certificate'
import { freePort } from './ports.ts'

const ROOT = fileURLToPath(new URL('..', import.meta.url))
const read = (path: string): string => readFileSync(join(ROOT, path), 'utf8')
const dockerfile = read('Dockerfile')

type Stage = { readonly name: string; readonly from: string; readonly lines: readonly string[] }

function stages(): readonly Stage[] {
  return dockerfile
    .split(/^FROM /m)
    .slice(1)
    .map((text) => {
      const [, from = '', name = ''] = /^(\S+) AS (\S+)/.exec(text) ?? []
      return { name, from, lines: text.split('\n').filter((line) => /^[A-Z]+ /.test(line)) }
    })
}

function stageOf(name: string): Stage {
  const stage = stages().find((candidate) => candidate.name === name)
  assert.ok(stage !== undefined, `there is no stage ${name}`)
  return stage
}

/** What an image holds of the project: the COPY lines of its stage and of those it is made from. */
function copied(stage: Stage): readonly { source: string; target: string }[] {
  const own = stage.lines
    .filter((line) => line.startsWith('COPY ') && !line.includes('--from='))
    .flatMap((line) => {
      const words = line.split(/\s+/).slice(1)
      const target = words.pop() ?? ''
      return words.map((source) => ({ source, target: target === './' ? source : target }))
    })
  const parent = stages().find(({ name }) => name === stage.from)
  return [...(parent === undefined ? [] : copied(parent)), ...own]
}

/** The image's tree, made without Docker: its own files, and every package linked. */
function assemble(stage: Stage, folder: string): void {
  for (const { source, target } of copied(stage)) {
    mkdirSync(join(folder, dirname(target)), { recursive: true })
    cpSync(join(ROOT, source), join(folder, target), {
      recursive: true,
      filter: (path) => !path.includes('node_modules'),
    })
  }
  const modules = join(folder, 'node_modules')
  mkdirSync(join(modules, '@passerelle'), { recursive: true })
  for (const name of readdirSync(join(ROOT, 'node_modules')).filter(
    (name) => name !== '@passerelle' && !name.startsWith('.'),
  ))
    symlinkSync(join(ROOT, 'node_modules', name), join(modules, name))
  for (const path of globSync('{packages,services}/*', { cwd: folder }))
    symlinkSync(join(folder, path), join(modules, '@passerelle', path.split('/')[1] ?? ''))
}

/** The exit code of an image's own health check. */
async function checkHealth(name: string, env: Readonly<Record<string, string>>): Promise<number | null> {
  const command = /^HEALTHCHECK .*?CMD (\[.*\])$/m.exec(stageOf(name).lines.join('\n'))?.[1] ?? '[]'
  const [, ...words] = JSON.parse(command) as string[]
  const check = spawn(process.execPath, words, {
    cwd: ROOT,
    env: { PATH: process.env['PATH'] ?? '', ...env },
  })
  const [code] = (await once(check, 'exit')) as [number | null]
  return code
}

describe('the Dockerfile', () => {
  it('copies only what is there, runs as nobody in particular, and starts what it copied', () => {
    for (const stage of stages())
      for (const { source } of copied(stage))
        assert.ok(existsSync(join(ROOT, source)), `${stage.name} copies ${source}`)
    for (const name of ['gateway', 'booking', 'frontend']) {
      const stage = stageOf(name)
      assert.equal(stage.from, 'base')
      const script = /CMD \["node", (?:"--[^"]+", )*"([^"]+)"\]/.exec(stage.lines.join('\n'))?.[1] ?? ''
      assert.ok(
        copied(stage).some(({ target }) => script.startsWith(target.replace('./', ''))),
        `${name} has ${script}`,
      )
      assert.ok(stage.lines.some((line) => line.startsWith('HEALTHCHECK ')))
    }
    assert.ok(stageOf('base').lines.includes('USER node'))
    assert.match(dockerfile, /npm ci --omit=dev --omit=optional --ignore-scripts/)
    assert.match(dockerfile, /^ARG NODE_IMAGE=node:\d+\.\d+\.\d+-bookworm-slim$/m)
  })

  it('finds a service healthy at the port and by the protocol it was given, and a silent one not', async () => {
    const certificate = testCertificate('pay.example.com')
    const answer = (_request: unknown, response: ServerResponse): void => void response.end('{}')
    const plain = createServer(answer).listen(0, '127.0.0.1')
    const tls = createTlsServer({ cert: certificate.cert, key: certificate.key }, answer).listen(
      0,
      '127.0.0.1',
    )
    await Promise.all([once(plain, 'listening'), once(tls, 'listening')])
    const portOf = (server: Server): string => String((server.address() as AddressInfo).port)
    const byTls = { PORT: portOf(tls), TLS_CERT_FILE: '/certificate.pem' }
    try {
      for (const name of ['gateway', 'booking', 'frontend'])
        assert.equal(await checkHealth(name, { PORT: portOf(plain) }), 0, name)
      for (const name of ['gateway', 'booking']) assert.equal(await checkHealth(name, byTls), 0, name)
    } finally {
      plain.close()
      tls.close()
    }
    for (const name of ['gateway', 'booking', 'frontend'])
      assert.equal(await checkHealth(name, { PORT: String(await freePort('127.0.0.1')) }), 1, name)
  })

  it('puts into each image all that its service imports, and nothing of the sandbox', () => {
    for (const name of ['gateway', 'booking']) {
      const folder = mkdtempSync(join(tmpdir(), 'passerelle-image-'))
      try {
        const stage = stageOf(name)
        assemble(stage, folder)
        assert.deepEqual(globSync('**/*sandbox*', { cwd: folder, exclude: ['node_modules'] }), [])
        const script = /CMD \["node", (?:"--[^"]+", )*"([^"]+)"\]/.exec(stage.lines.join('\n'))?.[1] ?? ''
        const { status, stderr } = spawnSync(process.execPath, [script], {
          cwd: folder,
          env: { PATH: process.env['PATH'] ?? '' },
          encoding: 'utf8',
        })
        assert.equal(status, 1)
        assert.match(stderr, /cannot start:\n(?:.*\n)*\s+DATABASE_URL is not set/, `${name}: ${stderr}`)
      } finally {
        rmSync(folder, { recursive: true })
      }
    }
  })
})

describe('the compose file', () => {
  it('builds stages that exist, with variables that .env.example knows', () => {
    const compose = read('ops/compose.yml')
    const targets = [...compose.matchAll(/target: (\w+)/g)].map(([, name]) => name ?? '')
    assert.deepEqual(targets.sort(), ['booking', 'frontend', 'gateway'])
    for (const name of targets) stageOf(name)
    const example = read('.env.example')
    for (const [, name = ''] of compose.matchAll(/^ {6}([A-Z_]+):/gm))
      assert.ok(example.includes(`${name}=`) || /^POSTGRES_|_URL$/.test(name), name)
    assert.doesNotMatch(compose, /privileged: true|network_mode: host/)
    assert.ok(
      ![...compose.matchAll(/- ?'?(\d+\.\d+\.\d+\.\d+)?:?\d+:\d+/g)].some(([, host]) => host === undefined),
      'ports are open to this host only',
    )
  })
})

describe('the systemd units', () => {
  it('start files that exist, as an unprivileged user', (test) => {
    const units = globSync('ops/systemd/*.service', { cwd: ROOT })
    assert.equal(units.length, 2)
    for (const unit of units) {
      const text = read(unit)
      const script = /^ExecStart=\/usr\/bin\/node (?:--\S+ )*(\S+)$/m.exec(text)?.[1] ?? ''
      assert.ok(existsSync(join(ROOT, script)), `${unit} starts ${script}`)
      for (const line of ['DynamicUser=yes', 'NoNewPrivileges=yes', 'ProtectSystem=strict'])
        assert.ok(text.includes(`\n${line}\n`), line)
    }
    const { error, stderr } = spawnSync('systemd-analyze', ['verify', ...units], {
      cwd: ROOT,
      encoding: 'utf8',
    })
    if (error !== undefined) return test.skip('systemd-analyze is not on this machine')
    assert.doesNotMatch(stderr, /Unknown|Failed to parse|Invalid/)
  })
})

describe('.env.example', () => {
  it('names every variable that the gateway and the booking service read, and holds no secret', () => {
    const example = read('.env.example')
    const configs = [
      'services/payment-gateway/src/config.ts',
      'services/booking-management/src/config.ts',
      'packages/kit/src/tls.ts',
      'packages/kit/src/config.ts',
    ]
    const names = new Set(
      configs.flatMap((path) =>
        [
          ...read(path).matchAll(
            /(?:env|this)\.\w+\(\s*'([A-Z][A-Z0-9_]+)'|limit\(\s*'([A-Z_]+)'|seconds\('([A-Z_]+)'/g,
          ),
        ].map((match) => match[1] ?? match[2] ?? match[3] ?? ''),
      ),
    )
    assert.ok(names.size > 25)
    assert.deepEqual(
      [...names].filter((name) => !new RegExp(`^${name}=`, 'm').test(example)),
      [],
    )
    for (const name of [
      'STRIPE_SECRET_KEY',
      'STRIPE_WEBHOOK_SECRET',
      'INTERNAL_SERVICE_TOKEN',
      'AUTH_JWT_SECRET',
      'POSTGRES_PASSWORD',
    ])
      assert.match(example, new RegExp(`^${name}=$`, 'm'))
  })
})

describe('the supply chain', () => {
  const lock = JSON.parse(read('package-lock.json')) as {
    packages: Record<
      string,
      { hasInstallScript?: boolean; integrity?: string; link?: boolean; resolved?: string }
    >
  }
  const manifest = JSON.parse(read('package.json')) as {
    allowScripts: Record<string, boolean>
    devDependencies: Record<string, string>
    optionalDependencies: Record<string, string>
  }

  it('runs no install script, and names each package that has one', () => {
    assert.match(read('.npmrc'), /^ignore-scripts=true$/m)
    const scripted = Object.entries(lock.packages).filter(
      ([, { hasInstallScript }]) => hasInstallScript === true,
    )
    assert.deepEqual(
      [...new Set(scripted.map(([path]) => path.split('node_modules/').at(-1) ?? ''))].sort(),
      Object.keys(manifest.allowScripts).sort(),
    )
    assert.ok(Object.values(manifest.allowScripts).every((allowed) => !allowed))
  })

  it('takes every package from the registry by its hash, and every version exactly', () => {
    for (const [path, entry] of Object.entries(lock.packages)) {
      if (!path.startsWith('node_modules/') || entry.link === true) continue
      assert.match(entry.integrity ?? '', /^sha512-/, path)
    }
    for (const version of Object.values({ ...manifest.devDependencies, ...manifest.optionalDependencies }))
      assert.match(version, /^\d+\.\d+\.\d+[\w.-]*$/)
  })

  it('is told by `npm run sbom`, with every runtime dependency of the gateway in it', () => {
    const npm = process.platform === 'win32' ? 'npm.cmd' : 'npm'
    const bill = JSON.parse(
      execFileSync(npm, ['run', '--silent', 'sbom'], {
        cwd: ROOT,
        encoding: 'utf8',
        maxBuffer: 64 * 1024 * 1024,
      }),
    ) as { components: { name: string; version: string }[] }
    const { dependencies } = JSON.parse(read('services/payment-gateway/package.json')) as {
      dependencies: Record<string, string>
    }
    for (const [name, version] of Object.entries(dependencies))
      assert.ok(
        bill.components.some((component) => component.name === name && component.version === version),
        `${name}@${version}`,
      )
  })
})
