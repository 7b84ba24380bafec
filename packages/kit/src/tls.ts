import { readFileSync, statSync } from 'node:fs'
import type { SecureContextOptions } from 'node:tls'
import type { EnvReader } from './config.ts'

/** Where the certificate (with its chain) and its key lie; null: plain HTTP, behind a proxy that does TLS. */
export type TlsFiles = { readonly certFile: string; readonly keyFile: string } | null

/** TLS_CERT_FILE and TLS_KEY_FILE, both or neither, and readable. */
export function tlsFiles(env: EnvReader): TlsFiles {
  const certFile = env.optional('TLS_CERT_FILE')
  const keyFile = env.optional('TLS_KEY_FILE')
  if (certFile === undefined && keyFile === undefined) return null
  if (certFile === undefined || keyFile === undefined) {
    env.problem('TLS_CERT_FILE and TLS_KEY_FILE belong together. Set both, or neither behind a proxy.')
    return null
  }
  for (const [name, file] of [
    ['TLS_CERT_FILE', certFile],
    ['TLS_KEY_FILE', keyFile],
  ] as const)
    if (!isReadable(file)) env.problem(`${name} names a file that cannot be read: ${file}.`)
  return { certFile, keyFile }
}

function isReadable(file: string): boolean {
  try {
    return readFileSync(file).length > 0
  } catch {
    return false
  }
}

export function secureContext(files: NonNullable<TlsFiles>): SecureContextOptions {
  return { cert: readFileSync(files.certFile), key: readFileSync(files.keyFile), minVersion: 'TLSv1.2' }
}

/** Calls back after one of the files changed; returns what ends that. A half of a pair that is seen alone comes again. */
export function watchFiles(files: readonly string[], onChange: () => void, intervalMs: number): () => void {
  let seen = stamp(files)
  const timer = setInterval(() => {
    const now = stamp(files)
    if (now === null || now === seen) return
    seen = now
    onChange()
  }, intervalMs)
  timer.unref()
  return () => clearInterval(timer)
}

/** What changes when a file does; null while one is being replaced. */
function stamp(files: readonly string[]): string | null {
  try {
    return files.map((file) => statSync(file, { bigint: true }).mtimeNs).join(' ')
  } catch {
    return null
  }
}
