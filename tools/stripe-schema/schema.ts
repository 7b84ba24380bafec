import { createHash, randomUUID } from 'node:crypto'
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { readDeclarations } from './declarations.ts'
import { generateSchema } from './generate.ts'
import type { StripeSchema } from './generate.ts'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const CACHE = join(ROOT, 'node_modules', '.cache')
const MADE_BY = [
  'tools/stripe-schema/declarations.ts',
  'tools/stripe-schema/generate.ts',
  'node_modules/stripe/package.json',
]

/**
 * The schema of the installed SDK: generated in a second and a half when the SDK or the generator changed, read from
 * node_modules/.cache otherwise. Its key is what it is made of, so it is never out of date.
 */
export function stripeSchema(): StripeSchema {
  const hash = createHash('sha256')
  for (const path of MADE_BY) hash.update(readFileSync(join(ROOT, path)))
  const file = join(CACHE, `stripe-schema-${hash.digest('hex').slice(0, 16)}.json`)
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as StripeSchema
  } catch {
    const schema = generateSchema(readDeclarations(ROOT))
    keep(file, JSON.stringify(schema))
    return schema
  }
}

// By a rename, because other test processes read and write it at the same time. A folder that cannot be written costs
// the time of generating again.
function keep(file: string, text: string): void {
  try {
    mkdirSync(CACHE, { recursive: true })
    const draft = `${file}.${randomUUID()}`
    writeFileSync(draft, text)
    renameSync(draft, file)
  } catch {
    // Said above.
  }
}
