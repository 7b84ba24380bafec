// The entry of every npm script: installs what is missing, then runs the given TypeScript file on the Node that
// package.json pins. It is the one file that must run on any Node >= 20, so it is plain JavaScript without imports
// from node_modules.
import { spawn, spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { accessSync, constants, existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const modules = join(root, 'node_modules')
const stampFile = join(modules, '.passerelle-installed')
const lockFile = join(root, '.passerelle-installing')
const UNWRITABLE = `the folder ${root} cannot be written. Give this user write access to it, or clone it elsewhere.`

function fail(sentence) {
  process.stderr.write(`passerelle: ${sentence}\n`)
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
    return true
  } catch (error) {
    return error.code === 'EPERM'
  }
}

/**
 * Two commands started at once on a fresh clone must not both run `npm ci`: the second waits for the first. The lock
 * holds its owner's pid, so one left by a killed install is taken over at once.
 */
function takeInstallLock() {
  for (;;) {
    try {
      writeFileSync(lockFile, String(process.pid), { flag: 'wx' })
      return
    } catch (error) {
      if (error.code !== 'EEXIST') fail(UNWRITABLE)
    }
    if (!isAlive(Number(readFileSync(lockFile, 'utf8')))) rmSync(lockFile, { force: true })
    else sleep(250)
    if (isInstalled()) return
  }
}

function install() {
  try {
    accessSync(root, constants.W_OK)
  } catch {
    fail(UNWRITABLE)
  }
  takeInstallLock()
  try {
    if (isInstalled()) return
    process.stderr.write(
      'passerelle: installing the packages of package-lock.json (once, about half a minute) …\n',
    )
    const npm = process.env.npm_execpath
    const args = ['ci', '--no-audit', '--no-fund', '--ignore-scripts', '--loglevel=error']
    const env = { ...process.env }
    // npm hands its own settings down as variables; a CI's `omit=dev` or `production` would leave half the project out.
    delete env.npm_config_omit
    delete env.NODE_ENV
    const options = { cwd: root, stdio: ['ignore', 'inherit', 'inherit'], env }
    const started = Date.now()
    const ticker = spawn(
      process.execPath,
      ['-e', 'setInterval(() => process.stderr.write("passerelle: still installing …\\n"), 10000)'],
      { stdio: ['ignore', 'ignore', 'inherit'] },
    )
    const done = npm?.endsWith('.js')
      ? spawnSync(process.execPath, [npm, ...args], options)
      : spawnSync('npm', args, { ...options, shell: process.platform === 'win32' })
    ticker.kill('SIGKILL')
    if (done.status !== 0)
      throw new Error(
        'npm ci failed; the lines above say why. Check the network and the free disk space, then run the command again.',
      )
    writeFileSync(stampFile, wantedStamp())
    process.stderr.write(`passerelle: installed in ${Math.round((Date.now() - started) / 1000)} s\n`)
  } finally {
    rmSync(lockFile, { force: true })
  }
}

/** The pinned Node where npm ships one for this platform, else the machine's own when it is recent enough. */
function findNode() {
  const exe = process.platform === 'win32' ? 'node.exe' : 'node'
  const platform = process.platform === 'win32' ? 'win' : process.platform
  const shipped = join(modules, `node-${platform}-${process.arch}`, 'bin', exe)
  if (existsSync(shipped)) return shipped
  const [major, minor] = process.versions.node.split('.').map(Number)
  if (major > 24 || (major === 24 && minor >= 12)) return process.execPath
  return fail(
    `no Node 24 comes through npm for ${process.platform}-${process.arch}. Install Node 24.12 or newer and run the command again.`,
  )
}

const [script, ...args] = process.argv.slice(2)
if (!script) fail('usage: node tools/run.mjs <file.ts> [arguments]')
try {
  if (!isInstalled()) install()
} catch (error) {
  fail(error.message)
}

const child = spawn(findNode(), [join(root, script), ...args], {
  stdio: 'inherit',
  cwd: root,
  env: {
    ...process.env,
    NODE_COMPILE_CACHE: process.env.NODE_COMPILE_CACHE ?? join(modules, '.cache', 'compile'),
    // The child stops when this process is gone, however it went (kill -9 included).
    PASSERELLE_PARENT_PID: String(process.pid),
  },
})
// Ctrl-C reaches the whole process group; this process only waits for the child to stop in order.
process.on('SIGINT', () => {})
process.on('SIGTERM', () => child.kill('SIGTERM'))
process.on('SIGHUP', () => child.kill('SIGTERM'))
child.on('error', (error) => fail(`cannot run Node 24 (${error.message}).`))
child.on('exit', (code, signal) => process.exit(signal ? 1 : code))

// When npm itself is killed nothing tells this process; a changed parent does.
if (process.env.npm_lifecycle_event) {
  const parent = process.ppid
  setInterval(() => {
    if (process.ppid !== parent) child.kill('SIGTERM')
  }, 500).unref()
}
