// The gateway as it was at an earlier commit, to run beside today's as in a rolling upgrade.
import { spawnSync } from 'node:child_process'
import { cpSync, mkdirSync, readdirSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const ROOT = fileURLToPath(new URL('..', import.meta.url))
const MODULES = join(ROOT, 'node_modules')
const GATEWAY = 'services/payment-gateway'
const OWN_PACKAGES = '@passerelle'
const ARCHIVE_BYTES_MAX = 256 * 1024 ** 2

export type EarlierGateway = {
  readonly main: string
  /** Whether it starts on today's tables too: it refuses to on tables it does not know. */
  readonly startsAgain: boolean
}

/** Puts the commit's gateway and packages into `folder`. */
export function checkOutEarlier(commit: string, folder: string): EarlierGateway {
  const earlier = join(folder, 'earlier')
  mkdirSync(join(earlier, 'node_modules'), { recursive: true })
  const archive = run('git', ['archive', commit, 'package.json', 'packages', 'services'], null, ROOT)
  run('tar', ['-x'], archive, earlier)
  for (const name of readdirSync(MODULES))
    if (name !== OWN_PACKAGES) symlinkSync(join(MODULES, name), join(earlier, 'node_modules', name))
  // Relative links: to the packages of the same commit.
  cpSync(join(MODULES, OWN_PACKAGES), join(earlier, 'node_modules', OWN_PACKAGES), {
    recursive: true,
    verbatimSymlinks: true,
  })
  const migrations = (root: string): string =>
    readdirSync(join(root, GATEWAY, 'migrations'))
      .sort()
      .join(' ')
  return {
    main: join(earlier, GATEWAY, 'src', 'main.ts'),
    startsAgain: migrations(earlier) === migrations(ROOT),
  }
}

function run(program: string, args: readonly string[], input: Buffer | null, cwd: string): Buffer {
  const { status, stdout, stderr } = spawnSync(program, args, {
    cwd,
    maxBuffer: ARCHIVE_BYTES_MAX,
    ...(input === null ? {} : { input }),
  })
  if (status !== 0) throw new Error(`${program} ${args.join(' ')}: ${stderr?.toString() ?? 'not found'}`)
  return stdout
}
