/** A value of Stripe's form encoding: text, a list, or named values. Objects have no prototype. */
export type FormValue = string | FormValue[] | FormObject
export type FormObject = { [name: string]: FormValue }

/** The body or query cannot be read as form data. The message is for the caller. */
export class FormError extends Error {
  override name = 'FormError'
}

const MAX_PAIRS = 5000
const MAX_DEPTH = 12
const MAX_INDEX = 999

export function emptyForm(): FormObject {
  return Object.create(null) as FormObject
}

/**
 * Reads `a[b][0]=c&d[]=e` the way Stripe does: indexed and `[]` lists, later values replace earlier ones of the
 * same name. Names such as `__proto__` are ordinary keys of objects without a prototype.
 */
export function parseForm(text: string): FormObject {
  const root = emptyForm()
  if (text === '') return root
  const pairs = text.split('&')
  if (pairs.length > MAX_PAIRS) throw new FormError('Too many parameters.')
  for (const pair of pairs) {
    if (pair === '') continue
    const equals = pair.indexOf('=')
    const name = decode(equals === -1 ? pair : pair.slice(0, equals))
    const value = equals === -1 ? '' : decode(pair.slice(equals + 1))
    assign(root, pathOf(name), value)
  }
  return listsOf(root) as FormObject
}

/** What the API's second version sends as JSON, in the words of a form, so that the same readers read it. */
export function formOfJson(text: string): FormObject {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    throw new FormError('The body is not JSON.')
  }
  const form = valueOfJson(value, 0)
  if (typeof form === 'string' || Array.isArray(form)) throw new FormError('The body is not a JSON object.')
  return form
}

function valueOfJson(value: unknown, depth: number): FormValue {
  if (depth > MAX_DEPTH) throw new FormError('Parameters nested too deeply.')
  if (value === null) return ''
  if (Array.isArray(value)) return value.map((item) => valueOfJson(item, depth + 1))
  if (typeof value === 'string') return value
  if (typeof value !== 'object') return JSON.stringify(value)
  const form = emptyForm()
  for (const [name, inner] of Object.entries(value)) form[name] = valueOfJson(inner, depth + 1)
  return form
}

// Most names and many values hold nothing that is encoded.
const PLAIN = /^[^%+]*$/

function decode(text: string): string {
  try {
    return PLAIN.test(text) ? text : decodeURIComponent(text.replaceAll('+', ' '))
  } catch {
    throw new FormError('Invalid percent-encoding in the parameters.')
  }
}

function pathOf(name: string): string[] {
  const open = name.indexOf('[')
  if (open === -1) return [name]
  if (open === 0 || !name.endsWith(']')) throw new FormError(`Invalid parameter name: ${name}`)
  const path = [name.slice(0, open), ...name.slice(open + 1, -1).split('][')]
  if (path.length > MAX_DEPTH) throw new FormError(`Parameter nested too deeply: ${name.slice(0, 100)}`)
  if (path.some((part) => /[[\]]/.test(part))) throw new FormError(`Invalid parameter name: ${name}`)
  return path
}

function assign(root: FormObject, path: string[], value: string): void {
  let node = root
  for (let depth = 0; depth < path.length; depth++) {
    const part = path[depth] ?? ''
    const key = part === '' ? String(nextIndex(node)) : part
    if (depth === path.length - 1) {
      node[key] = value
      return
    }
    const child = node[key]
    const next = typeof child === 'object' && !Array.isArray(child) ? child : emptyForm()
    node[key] = next
    node = next
  }
}

function nextIndex(node: FormObject): number {
  return Object.keys(node).length
}

// Lists are gathered as objects with index keys first, so that `[1]` may come before `[0]`.
function listsOf(value: FormValue): FormValue {
  if (typeof value === 'string' || Array.isArray(value)) return value
  const keys = Object.keys(value)
  if (keys.length > 0 && keys.every((key) => /^(0|[1-9]\d{0,3})$/.test(key))) {
    if (keys.some((key) => Number(key) > MAX_INDEX)) throw new FormError('List index too large.')
    // Such keys are in ascending order, whatever the order they came in.
    return keys.map((index) => listsOf(value[index] ?? ''))
  }
  for (const key of keys) value[key] = listsOf(value[key] ?? '')
  return value
}
