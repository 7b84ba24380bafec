import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

/** A route of the API as the SDK calls it, with `:id` for what is put into its path. */
export type SdkRoute = { readonly route: string; readonly parameters: string | undefined }

const CALL = /\n {4}(\w+)\([^)]*\) \{\s*return this\._makeRequest\('(\w+)', [`']([^`']+)[`']/g

/** Every v1 route of the SDK under `root`, with the name of the interface that declares its parameters. */
export function sdkRoutes(root: string): SdkRoute[] {
  const folder = join(root, 'node_modules/stripe/esm/resources')
  const files = globSync('**/*.js', { cwd: folder }).filter((file) => !file.startsWith('V2'))
  return files.flatMap((file) => {
    const types = readFileSync(join(folder, file.replace(/\.js$/, '.d.ts')), 'utf8')
    const calls = readFileSync(join(folder, file), 'utf8').matchAll(CALL)
    return [...calls].map(([, name = '', method = '', path = '']) => ({
      route: `${method} ${path.replaceAll(/\$\{[^}]+\}/g, ':id')}`,
      parameters: new RegExp(`\\n {4}${name}\\(.*?params\\??: ([\\w.]+)`).exec(types)?.[1],
    }))
  })
}
