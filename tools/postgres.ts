// A PostgreSQL of our own: made once, started on a free port of this machine, stopped with us however we end.
import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import {
  chownSync,
  closeSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { Client } from 'pg'
import { StartError } from '@passerelle/kit/service'
import { freePort } from './ports.ts'
import { findPostgresProgram } from './postgres-program.ts'
import type { PostgresProgram } from './postgres-program.ts'
import { endProcess, identify, sendSignal } from './processes.ts'

export type Postgres = {
  readonly pid: number
  readonly port: number
  readonly urlOf: (database: string) => string
  /** Resolves when the server has ended, wanted or not. */
  readonly ended: Promise<void>
  /** Ends every connection and the server; its files stay. */
  readonly stop: () => Promise<void>
}

const HOST = '127.0.0.1'
const USER = 'passerelle'
const START_TIMEOUT_MS = 60_000
const STOP_TIMEOUT_MS = 15_000
const RETRY_MS = 25
const SETTINGS = {
  listen_addresses: HOST,
  unix_socket_directories: '',
  timezone: 'UTC',
  log_timezone: 'UTC',
  max_connections: '200',
  // The services log their own failures; without this every refused duplicate would be a line here too.
  log_min_error_statement: 'panic',
  log_min_messages: 'fatal',
}
// A cluster that is thrown away needs not survive a power cut.
const THROWAWAY_SETTINGS = { fsync: 'off', synchronous_commit: 'off', full_page_writes: 'off' }

/**
 * Starts the cluster kept in `directory`, making it first when there is none. The caller holds the directory: a server
 * that still runs on it is the orphan of a killed run and is stopped first. `port` 0 takes a free one.
 */
export async function startPostgres(options: {
  readonly directory: string
  readonly port?: number
  readonly throwaway?: boolean
  /** Further settings of the server; they win over its own and over these here. */
  readonly settings?: Readonly<Record<string, string>>
}): Promise<Postgres> {
  const { directory, throwaway = false } = options
  mkdirSync(directory, { recursive: true })
  const program = findPostgresProgram(directory)
  await stopOrphan(directory)
  const password = ensureCluster(program, directory, throwaway)
  const port = options.port === undefined || options.port === 0 ? await freePort(HOST) : options.port
  const settings = {
    ...SETTINGS,
    ...(throwaway ? THROWAWAY_SETTINGS : {}),
    ...options.settings,
    port: String(port),
  }
  const log = openSync(logFileOf(directory), 'w', 0o600)
  const child = program.start(
    'postgres',
    [
      '-D',
      clusterOf(directory),
      ...Object.entries(settings).flatMap(([key, value]) => ['-c', `${key}=${value}`]),
    ],
    // A session of its own: Ctrl-C reaches us alone, and we stop it when nobody needs it any more.
    { stdio: ['ignore', log, log], detached: true },
  )
  closeSync(log)
  const ended = new Promise<void>((resolve) => {
    child.once('error', () => resolve())
    child.once('exit', () => resolve())
  })
  const guard = child.pid === undefined ? undefined : startGuard(child.pid, throwaway ? directory : '')
  // A guard of a server that is gone would later signal whoever has its pid then.
  void ended.then(() => guard?.kill('SIGKILL'))
  const urlOf = (database: string): string => `postgres://${USER}:${password}@${HOST}:${port}/${database}`
  const stop = (): Promise<void> => stopServer(child, ended)
  try {
    await waitUntilAnswering(child, urlOf('postgres'), directory)
  } catch (error) {
    await stop()
    throw error
  }
  return { pid: child.pid ?? 0, port, urlOf, ended, stop }
}

/** A cluster in a temporary folder for one run of the tests; `stop` removes it, and so does the death of this process. */
export async function startThrowawayPostgres(): Promise<Postgres> {
  const directory = mkdtempSync(join(tmpdir(), 'passerelle-postgres-'))
  try {
    const postgres = await startPostgres({ directory, throwaway: true })
    const stop = async (): Promise<void> => {
      await postgres.stop()
      rmSync(directory, { recursive: true, force: true })
    }
    return { ...postgres, stop }
  } catch (error) {
    rmSync(directory, { recursive: true, force: true })
    throw error
  }
}

/** Creates the database when it is not there. */
export async function ensureDatabase(postgres: Postgres, name: string): Promise<string> {
  const client = new Client({ connectionString: postgres.urlOf('postgres') })
  await client.connect()
  try {
    const found = await client.query('select 1 from pg_database where datname = $1', [name])
    if (found.rowCount === 0) await client.query(`create database ${client.escapeIdentifier(name)}`)
  } finally {
    await client.end()
  }
  return postgres.urlOf(name)
}

function clusterOf(directory: string): string {
  return join(directory, 'cluster')
}

function logFileOf(directory: string): string {
  return join(directory, 'postgres.log')
}

/** Makes the cluster once, whole or not at all, and returns its password. */
function ensureCluster(program: PostgresProgram, directory: string, throwaway: boolean): string {
  const passwordFile = join(directory, 'password')
  const cluster = clusterOf(directory)
  if (existsSync(cluster)) {
    checkVersion(program, cluster)
    return readFileSync(passwordFile, 'utf8')
  }
  const draft = `${cluster}.draft`
  rmSync(draft, { recursive: true, force: true })
  mkdirSync(draft, { mode: 0o700 })
  const password = randomBytes(24).toString('hex')
  writeFileSync(passwordFile, password, { mode: 0o600 })
  if (program.owner !== null)
    for (const path of [draft, passwordFile]) chownSync(path, program.owner.uid, program.owner.gid)
  const made = program.run('initdb', [
    '--pgdata',
    draft,
    `--username=${USER}`,
    `--pwfile=${passwordFile}`,
    '--auth=scram-sha-256',
    '--encoding=UTF8',
    '--locale=C',
    '--no-instructions',
    ...(throwaway ? ['--no-sync', '--set', 'scram_iterations=1'] : []),
  ])
  if (made.status !== 0)
    throw new StartError(
      `PostgreSQL could not be set up in ${directory}: ${reasonOf(made.stderr, made.error)}`,
    )
  renameSync(draft, cluster)
  return password
}

function checkVersion(program: PostgresProgram, cluster: string): void {
  const data = readFileSync(join(cluster, 'PG_VERSION'), 'utf8').trim()
  const version = /\d+/.exec(program.run('postgres', ['--version']).stdout)?.[0]
  if (version !== undefined && version !== data)
    throw new StartError(
      `the data in ${cluster} is of PostgreSQL ${data}, this is PostgreSQL ${version}. Move the folder away to begin anew, or set DATA_DIR to another one.`,
    )
}

async function stopOrphan(directory: string): Promise<void> {
  const pidFile = join(clusterOf(directory), 'postmaster.pid')
  if (!existsSync(pidFile)) return
  const [pidLine = '', dataLine = ''] = readFileSync(pidFile, 'utf8').split('\n')
  const identity = identify(Number(pidLine))
  // The pid may be another program's by now; a server of this folder holds the folder open as its working directory.
  if (identity === null || dataLine !== clusterOf(directory) || !isPostgresOf(identity.pid, dataLine)) return
  await endProcess(identity, 'SIGINT', STOP_TIMEOUT_MS)
}

function isPostgresOf(pid: number, cluster: string): boolean {
  if (process.platform !== 'linux') return true
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0').includes(cluster)
  } catch {
    return false
  }
}

/**
 * Stops the server when this process dies without a word (kill -9): its standard input is a pipe that then closes.
 * Removes `throwaway`, when it is not empty, after the server is gone.
 */
function startGuard(pid: number, throwaway: string): ChildProcess | undefined {
  if (process.platform === 'win32') return undefined
  const script =
    'read -r _; kill -INT "$1"; i=0; while [ -n "$2" ] && kill -0 "$1" && [ $i -lt 100 ]; do sleep 0.1; i=$((i+1)); done; [ -z "$2" ] || rm -rf "$2"'
  const guard = spawn('sh', ['-c', script, 'sh', String(pid), throwaway], {
    stdio: ['pipe', 'ignore', 'ignore'],
    detached: true,
  })
  guard.unref()
  return guard
}

async function stopServer(child: ChildProcess, ended: Promise<void>): Promise<void> {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return
  const { pid } = child
  // Fast shutdown: connections are cut, what was committed is written.
  sendSignal(pid, process.platform === 'win32' ? 'SIGTERM' : 'SIGINT')
  const late = setTimeout(() => sendSignal(pid, 'SIGQUIT'), STOP_TIMEOUT_MS)
  await ended
  clearTimeout(late)
}

async function waitUntilAnswering(child: ChildProcess, url: string, directory: string): Promise<void> {
  const deadline = performance.now() + START_TIMEOUT_MS
  for (;;) {
    const problem = await tryToConnect(url)
    if (problem === null) return
    const hasEnded = child.pid === undefined || child.exitCode !== null || child.signalCode !== null
    if (hasEnded || performance.now() > deadline)
      throw new StartError(
        `PostgreSQL did not start: ${reasonOf(readFileSync(logFileOf(directory), 'utf8'), problem)}`,
      )
    await sleep(RETRY_MS)
  }
}

async function tryToConnect(url: string): Promise<Error | null> {
  const client = new Client({ connectionString: url })
  try {
    await client.connect()
    return null
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error))
  } finally {
    await client.end().catch(() => undefined)
  }
}

function reasonOf(output: string, error: Error | undefined): string {
  const lines = output.trim().split('\n').filter(Boolean)
  return lines.slice(-5).join(' / ') || (error?.message ?? 'it said nothing')
}
