// The project's own rules, which no linter knows. Each says what to do in its failure.
import assert from 'node:assert/strict'
import { existsSync, globSync, readFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'

const ROOT = fileURLToPath(new URL('..', import.meta.url))
const isOurs = (path: string): boolean => !/(?:^|\/)(?:node_modules|dist)(?:\/|$)/.test(path)
const glob = (patterns: readonly string[]): readonly string[] =>
  globSync([...patterns], { cwd: ROOT, exclude: (path) => !isOurs(path) })
    .map((path) => path.replaceAll('\\', '/'))
    .filter(isOurs)
    .sort()
const read = (path: string): string => readFileSync(join(ROOT, path), 'utf8')

const CODE = glob(['{packages,services,frontend,tools,e2e,bench}/**/*.{ts,tsx,mjs}'])
const TEXT = [
  ...CODE,
  ...glob(['*.md', '{docs,packages,services,frontend,e2e,bench}/**/*.{md,sql,css,html}']),
]
const PACKAGES = glob(['package.json', '{packages,services}/*/package.json', 'frontend/package.json'])
const isTest = (path: string): boolean =>
  path.endsWith('.test.ts') || /(?:^|\/)(?:test|e2e|bench)\//.test(path)
const isProduct = (path: string): boolean => /^(?:packages|services|frontend)\//.test(path) && !isTest(path)

/** The lines of the files that match, as `path:line`. */
function find(files: readonly string[], pattern: RegExp): readonly string[] {
  return files.flatMap((path) =>
    read(path)
      .split('\n')
      .flatMap((line, index) => (pattern.test(line) ? [`${path}:${index + 1}`] : [])),
  )
}

test('the environment is read where a configuration begins, so that a reader finds every variable in one file', () => {
  const mayRead = /\/config\.ts$|\/main\.ts$|^packages\/kit\/src\/(?:log|service|test-database)\.ts$/
  const files = CODE.filter((path) => isProduct(path) && !mayRead.test(path))
  assert.deepEqual(find(files, /process\.env/), [], 'read it in config.ts and pass the value on')
})

test("Stripe's SDK is called in *.client.ts alone, so that one file knows how Stripe fails", () => {
  const files = CODE.filter((path) => isProduct(path) && !path.endsWith('.client.ts'))
  assert.deepEqual(find(files, /^import (?!type ).* from 'stripe'/), [], 'import types, or call the client')
})

test('transactions begin and end in the kit alone, so that none is left open', () => {
  const files = CODE.filter(
    (path) => isProduct(path) && !/^packages\/kit\/src\/(?:database|migrate)\.ts$/.test(path),
  )
  assert.deepEqual(find(files, /['"`]\s*(?:begin|commit|rollback)\b\s*[;'"`]/i), [], 'use inTransaction')
})

test('the services share contracts and kit and nothing else; the pages share contracts', () => {
  const names = ['payment-gateway', 'booking-management', 'stripe-sandbox']
  const crossing = names.flatMap((name) => {
    const files = CODE.filter((path) => isProduct(path) && path.startsWith(`services/${name}/`))
    const others = names.filter((other) => other !== name).join('|')
    return find(files, new RegExp(`from '.*(?:@passerelle/|/)(?:${others}|frontend)/`))
  })
  const pages = CODE.filter((path) => path.startsWith('frontend/src/') && !isTest(path))
  assert.deepEqual(
    [...crossing, ...find(pages, /from '@passerelle\/(?!contracts\/)/)],
    [],
    'speak HTTP, or use contracts',
  )
})

test('nothing is left for later in the code', () => {
  // In brackets, so that this line is not found.
  const marks = /\b(?:TO[D]O|FIX[M]E|XX[X])\b/
  assert.deepEqual(find(TEXT, marks), [], 'do it, or open an issue')
})

test('names of files are kebab-case, with a role after a dot', () => {
  const odd = CODE.filter((path) => !/^[a-z0-9]+(?:-[a-z0-9]+)*(?:\.[a-z0-9]+)*$/.test(basename(path)))
  assert.deepEqual(odd, [])
})

test('folders are few and flat, and none is a drawer for everything', () => {
  const drawers =
    /\/(?:utils?|helpers?|common|lib|shared|misc|interfaces|constants|controllers|middlewares?)\//
  const deep = CODE.filter((path) => isProduct(path) && (path.split('/src/')[1]?.split('/').length ?? 0) > 2)
  assert.deepEqual([...CODE.filter((path) => drawers.test(path)), ...deep], [], 'src/noun/file.ts')
})

test('migrations are numbered one after the other, so that every copy applies them in the same order', () => {
  for (const folder of new Set(glob(['services/*/migrations/*.sql']).map((path) => dirname(path)))) {
    const numbers = glob([`${folder}/*.sql`]).map((path) => basename(path).slice(0, 5))
    assert.deepEqual(
      numbers,
      numbers.map((_, index) => `${String(index + 1).padStart(4, '0')}_`),
      folder,
    )
  }
})

test('every runtime dependency has its reason in docs/dependencies.md, and a version that does not move', () => {
  const reasons = read('docs/dependencies.md')
  for (const path of PACKAGES) {
    const {
      dependencies = {},
      devDependencies = {},
      optionalDependencies = {},
    } = JSON.parse(read(path)) as Record<string, Record<string, string> | undefined>
    const unexplained = Object.keys(dependencies).filter(
      (name) => !name.startsWith('@passerelle/') && !reasons.includes(`\`${name}\``),
    )
    assert.deepEqual(unexplained, [], `${path}: write a line each`)
    const moving = Object.entries({ ...dependencies, ...devDependencies, ...optionalDependencies }).filter(
      ([name, version]) => !name.startsWith('@passerelle/') && !/^\d+\.\d+\.\d+(?:-[\w.]+)?$/.test(version),
    )
    assert.deepEqual(moving, [], `${path}: write the exact version`)
  }
})

test('every file that the documents name is there', () => {
  const missing = glob(['*.md', '{docs,packages,services,frontend,e2e}/**/*.md']).flatMap((path) => {
    const named = [
      ...read(path).matchAll(/`((?:services|packages|frontend|tools|e2e|docs)\/[\w./-]+\.\w+)`/g),
    ]
    const linked = [...read(path).matchAll(/\]\((?!https?:|mailto:|#)([^)#\s]+)(?:#[^)\s]*)?\)/g)]
    return [
      ...named.map(([, target = '']) => target).filter((target) => !existsSync(join(ROOT, target))),
      ...linked
        .map(([, target = '']) => target)
        .filter((target) => !existsSync(join(ROOT, dirname(path), target))),
    ].map((target) => `${path}: ${target}`)
  })
  assert.deepEqual(missing, [])
})
