// Reading JSON whose shape nobody here vouches for.

/** The value at a path, or undefined. */
export function at(value: unknown, ...path: readonly string[]): unknown {
  return path.reduce<unknown>(
    (found, key) =>
      typeof found === 'object' && found !== null
        ? (found as Readonly<Record<string, unknown>>)[key]
        : undefined,
    value,
  )
}

/** The text at a path, '' when there is none. */
export function textAt(value: unknown, ...path: readonly string[]): string {
  const found = at(value, ...path)
  return typeof found === 'string' ? found : ''
}

export function numberAt(value: unknown, ...path: readonly string[]): number {
  const found = at(value, ...path)
  return typeof found === 'number' ? found : Number.NaN
}

export function listAt(value: unknown, ...path: readonly string[]): readonly unknown[] {
  const found = at(value, ...path)
  return Array.isArray(found) ? found : []
}
