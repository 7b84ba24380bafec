// The entry of every npm script: installs what is missing, then runs the given TypeScript file on the Node that
// package.json pins. It is the one file that must run on any Node >= 20, so it is plain JavaScript without imports
// from node_modules.
import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import {
  accessSync,
  constants,
  existsSync,
  linkSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { constants as osConstants } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const modules = join(root, 'node_modules')
const stampFile = join(modules, '.passerelle-installed')
const lockFile = join(root, '.passerelle-installing')
const UNWRITABLE = `the folder ${root} cannot be written. Give this user write access to it, or clone it elsewhere.`

const INSTALL_MS_MAX = 20 * 60 * 1000

function say(sentence) {
  process.stderr.write(`passerelle: ${sentence}\n`)
}

function fail(sentence) {
  say(sentence)
  process.exit(1)
}

/** What node_modules must match: the lockfile and this platform. */
function wantedStamp() {
  const lock = readFileSync(join(root, 'package-lock.json'))
  return `${createHash('sha256').update(lock).digest('hex')} ${process.platform}-${process.arch}`
}

function isInstalled() {
  return existsSync(stampFile) && readFileSync(stampFile, 'utf8') === wantedStamp()
}

function sleep(ms) {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms)
}

function isAlive(pid) {
  try {
    process.kill(pid, 0)
  } catch (error) {
    return error.code === 'EPERM'
  }
  // Dead, but nobody has asked for it.
  return statusOf(pid)?.state !== 'Z'
}

/** What Linux says of a process, or null. */
function statusOf(pid) {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    const [state, parent] = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    return { name: stat.slice(stat.indexOf('(') + 1, stat.lastIndexOf(')')), state, parent: Number(parent) }
  } catch {
    return null
  }
}

/** npm's process, which started this one, mostly with a shell in between; null when it was not npm. */
function findNpm() {
  if (!process.env.npm_lifecycle_event) return null
  const parent = statusOf(process.ppid)
  const isShell = parent !== null && /^(sh|dash|bash|ash|zsh|busybox)$/.test(parent.name)
  return isShell ? parent.parent : process.ppid
}

/** Who holds the install lock, or null when nobody who lives does. */
function installerPid() {
  try {
    // A lock older than any install was left by a killed one; its pid may be another process's by now.
    if (Date.now() - statSync(lockFile).mtimeMs > INSTALL_MS_MAX) return null
    const pids = readFileSync(lockFile, 'utf8').split(' ').map(Number)
    return pids.find(isAlive) ?? null
  } catch {
    return null
  }
}

/**
 * Two commands started at once on a fresh clone must not both run `npm ci`: the second waits for the first. The lock
 * holds the pids of its owner and of the owner's npm, which may outlive it; one left by dead processes is taken over
 * at once. False: the other has installed.
 */
function takeInstallLock() {
  const draft = `${lockFile}.${process.pid}`
  let told = false
  try {
    writeFileSync(draft, String(process.pid))
    while (!linkOnce(draft, lockFile)) {
      const pid = installerPid()
      if (pid === null) {
        rmSync(lockFile, { force: true })
        continue
      }
      if (!told) say(`another command (process ${pid}) is installing the packages; waiting for it …`)
      told = true
      sleep(250)
      if (isInstalled()) return false
    }
    return true
  } catch {
    return fail(UNWRITABLE)
  } finally {
    rmSync(draft, { force: true })
  }
}

/** A link appears with its content or not at all: nobody reads an empty lock. False: it is there already. */
function linkOnce(from, to) {
  try {
    linkSync(from, to)
    return true
  } catch (error) {
    if (error.code === 'EEXIST') return false
    throw error
  }
}

async function install() {
  try {
    accessSync(root, constants.W_OK)
  } catch {
    fail(UNWRITABLE)
  }
  if (!takeInstallLock()) return
  try {
    if (isInstalled()) return
    say('installing the packages of package-lock.json (once, about half a minute) …')
    const started = Date.now()
    await runNpmCi()
    writeFileSync(stampFile, wantedStamp())
    say(`installed in ${Math.round((Date.now() - started) / 1000)} s`)
  } finally {
    rmSync(lockFile, { force: true })
  }
}

async function runNpmCi() {
  // Everything, whatever the user's or the CI's npm is told to leave out (NODE_ENV=production, omit=dev): the tools that
  // run the project are among the development and optional packages.
  const include = ['--include=dev', '--include=optional', '--include=peer']
  const args = ['ci', ...include, '--no-audit', '--no-fund', '--ignore-scripts', '--loglevel=error']
  const env = { ...process.env }
  // npm hands its own settings down as variables.
  for (const name of Object.keys(env))
    if (/^(npm_config_(omit|only|production|dry_run)|node_env)$/i.test(name)) delete env[name]
  const options = { cwd: root, stdio: ['ignore', 'inherit', 'inherit'], env }
  const npm = process.env.npm_execpath
  const child = npm?.endsWith('.js')
    ? spawn(process.execPath, [npm, ...args], options)
    : spawn('npm', args, { ...options, shell: process.platform === 'win32' })
  if (child.pid !== undefined) writeFileSync(lockFile, `${process.pid} ${child.pid}`)
  const stop = () => {
    child.kill('SIGTERM')
    fail('stopped while installing. The next command begins it again.')
  }
  process.once('SIGTERM', stop)
  const ticker = setInterval(() => say('still installing …'), 10_000)
  const code = await new Promise((resolve) => {
    child.once('error', () => resolve(1))
    child.once('close', resolve)
  })
  clearInterval(ticker)
  process.removeListener('SIGTERM', stop)
  if (code !== 0)
    throw new Error(
      'npm ci failed; the lines above say why. Check the network and the free disk space, then run the command again.',
    )
}

/** The pinned Node where npm ships one that runs here, else the machine's own when it is recent enough. */
function findNodes() {
  const exe = process.platform === 'win32' ? 'node.exe' : 'node'
  const platform = process.platform === 'win32' ? 'win' : process.platform
  const shipped = join(modules, `node-${platform}-${process.arch}`, 'bin', exe)
  const [major, minor] = process.versions.node.split('.').map(Number)
  const isRecent = major > 24 || (major === 24 && minor >= 12)
  return [...(existsSync(shipped) ? [shipped] : []), ...(isRecent ? [process.execPath] : [])]
}

const npmPid = findNpm()
const [script, ...args] = process.argv.slice(2)
if (!script) fail('usage: node tools/run.mjs <file.ts> [arguments]')
try {
  if (!isInstalled()) await install()
} catch (error) {
  fail(error.message)
}
run(findNodes())

function run([node, ...others]) {
  if (node === undefined)
    fail(
      `no Node 24 comes through npm that runs on this machine (${process.platform}-${process.arch}). Install Node 24.12 or newer and run the command again.`,
    )
  const child = spawn(node, [join(root, script), ...args], {
    stdio: 'inherit',
    cwd: root,
    env: {
      ...process.env,
      NODE_COMPILE_CACHE: process.env.NODE_COMPILE_CACHE ?? join(modules, '.cache', 'compile'),
      // The child stops when this process is gone, however it went (kill -9 included).
      PASSERELLE_PARENT_PID: String(process.pid),
      ...(npmPid === null ? {} : { PASSERELLE_NPM_PID: String(npmPid) }),
    },
  })
  // A Node of another C library (Alpine) is there but does not start.
  child.once('error', () => run(others))
  child.once('spawn', () => waitFor(child))
}

function waitFor(child) {
  // Ctrl-C reaches the child too, as one of the terminal's group. Told a moment later once more, in case only this
  // process was signalled: a child that is stopping already takes no notice of SIGTERM.
  process.on('SIGINT', () => setTimeout(() => child.kill('SIGTERM'), 300))
  process.on('SIGTERM', () => child.kill('SIGTERM'))
  process.on('SIGHUP', () => child.kill('SIGTERM'))
  child.on('exit', (code, signal) => process.exit(signal ? 128 + osConstants.signals[signal] : code))

  // When npm itself is killed nothing tells this process.
  if (npmPid === null) return
  setInterval(() => {
    if (!isAlive(npmPid)) child.kill('SIGTERM')
  }, 300).unref()
}
