import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { readFile, readdir, rename, rm, stat, writeFile } from 'node:fs/promises'
import { dirname, extname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import type { InlineConfig, Plugin } from 'vite'
import { brotliCompress, gzip } from 'node:zlib'

const FRONTEND = dirname(dirname(fileURLToPath(import.meta.url)))
const DIST = join(FRONTEND, 'dist')
/** What makes the payer's pages, in the folder of the built site. */
export const SERVER_BUNDLE = join('server', 'payment-server.js')
/** What decides the built site. The contracts are in it; the lockfile stands for the libraries. */
const SHOP_PAGES = ['index.html'].map((page) => join(FRONTEND, page))
const PAYER_PAGES = ['payment.html', 'card.html'].map((page) => join(FRONTEND, page))
/** What every page has in its head, written once. */
const HEAD = join(FRONTEND, 'head.html')
const HEAD_PLACE = '<!-- head.html -->'
const SOURCES = ['src', 'public', 'server/build-site.ts']
  .map((path) => join(FRONTEND, path))
  .concat(SHOP_PAGES, PAYER_PAGES, HEAD)
const SHARED_SOURCES = ['contracts/src', 'client/src', 'react/src']
  .map((path) => join(FRONTEND, '../packages', path))
  .concat(join(FRONTEND, '../package-lock.json'))
const COMPRESSED_EXTENSIONS = new Set(['.js', '.css', '.svg'])
// Another process may still serve a site of yesterday.
const KEPT_MS = 24 * 60 * 60 * 1000

/**
 * The folder of the built site, built first when the sources changed since. Each state of the sources has a folder of
 * its own, put in place by one rename: two processes that build at once, or one that still serves the old site, do not
 * disturb each other.
 */
export async function builtSite(onProgress: (sentence: string) => void): Promise<string> {
  const folder = join(DIST, await hashOfSources())
  if (existsSync(folder)) return folder
  const startedMs = performance.now()
  onProgress('building the pages, once for these sources …')
  const draft = `${folder}.${process.pid}`
  try {
    await buildInto(draft)
    await compressFiles(join(draft, 'client'))
    await putInPlace(draft, folder)
  } finally {
    await rm(draft, { recursive: true, force: true })
  }
  await removeOldSites(folder)
  onProgress(`pages built in ${((performance.now() - startedMs) / 1000).toFixed(1)} s`)
  return folder
}

// The payer's pages are written for React and run on Preact, which does the same for them in a fifth of the bytes
// (docs/decisions/0012-payer-pages-run-on-preact.md). The shop, with its router and its queries, runs on React.
const PREACT = Object.entries({
  react: 'preact/compat',
  'react/jsx-runtime': 'preact/jsx-runtime',
  'react-dom/client': 'preact/compat/client',
  'react-dom/server': 'preact-render-to-string',
}).map(([name, replacement]) => ({ find: new RegExp(`^${name}$`), replacement }))

/** What the browser gets lies in `client`; what makes the payer's pages on the server beside it, where nobody is served. */
async function buildInto(folder: string): Promise<void> {
  // Only when there is something to build: loading Vite takes longer than serving.
  const [{ build }, { default: react }] = await Promise.all([import('vite'), import('@vitejs/plugin-react')])
  const common = {
    configFile: false,
    root: FRONTEND,
    logLevel: 'error',
    plugins: [react(), sharedHead(await readFile(HEAD, 'utf8'))],
  } satisfies InlineConfig
  await build({
    ...common,
    // One file with everything in it.
    ssr: { noExternal: true },
    resolve: { alias: PREACT },
    build: {
      ssr: 'src/payment-server.tsx',
      outDir: join(folder, 'server'),
      copyPublicDir: false,
      rolldownOptions: { checks: { moduleLevelDirective: false } },
    },
  })
  const forBrowsers = (pages: readonly string[]): NonNullable<InlineConfig['build']> => ({
    outDir: join(folder, 'client'),
    emptyOutDir: false,
    target: 'es2022',
    // Every asset is a file: the content security policy allows nothing inside the page.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    rolldownOptions: {
      input: [...pages],
      // One name for both builds' styles: a payer who comes from the shop has them already.
      output: { assetFileNames: 'assets/style-[hash][extname]' },
      checks: { moduleLevelDirective: false },
    },
  })
  await build({ ...common, build: forBrowsers(SHOP_PAGES) })
  await build({ ...common, resolve: { alias: PREACT }, build: forBrowsers(PAYER_PAGES) })
}

function sharedHead(head: string): Plugin {
  return {
    name: 'shared-head',
    transformIndexHtml: { order: 'pre', handler: (html) => html.replace(HEAD_PLACE, () => head.trim()) },
  }
}

/** Ready-made for every request, so that serving costs nothing. */
async function compressFiles(folder: string): Promise<void> {
  const files = (await listFiles(folder)).filter((file) => COMPRESSED_EXTENSIONS.has(extname(file)))
  await Promise.all(
    files.map(async (file) => {
      const bytes = await readFile(file)
      await writeFile(`${file}.br`, await promisify(brotliCompress)(bytes))
      await writeFile(`${file}.gz`, await promisify(gzip)(bytes, { level: 9 }))
    }),
  )
}

async function putInPlace(draft: string, folder: string): Promise<void> {
  try {
    await rename(draft, folder)
  } catch (error) {
    // Another process was faster with the same sources.
    if (!existsSync(folder)) throw error
  }
}

async function removeOldSites(current: string): Promise<void> {
  for (const name of await readdir(DIST)) {
    const path = join(DIST, name)
    const { mtimeMs } = await stat(path)
    if (path !== current && Date.now() - mtimeMs > KEPT_MS) await rm(path, { recursive: true, force: true })
  }
}

async function hashOfSources(): Promise<string> {
  const hash = createHash('sha256')
  for (const source of [...SOURCES, ...SHARED_SOURCES]) {
    for (const file of await listFiles(source)) {
      if (file.endsWith('.test.ts')) continue
      hash
        .update(`${relative(FRONTEND, file)}\0`)
        .update(await readFile(file))
        .update('\0')
    }
  }
  return hash.digest('hex').slice(0, 16)
}

async function listFiles(path: string): Promise<readonly string[]> {
  if (!existsSync(path)) return []
  if (!(await stat(path)).isDirectory()) return [path]
  const entries = await readdir(path, { recursive: true, withFileTypes: true })
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort()
}
