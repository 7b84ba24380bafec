import { invalidParameter } from '../errors.ts'
import { CURRENCIES } from '../money.ts'
import type { FormObject, FormValue } from './form.ts'
import { emptyForm } from './form.ts'

const KNOWN_CURRENCIES = new Set(CURRENCIES)

/**
 * Reads one parameter or throws the 400 that names it. '' is what the SDK sends for null and means "unset":
 * an object reader hands it on as null, so `undefined` is "not sent" and `null` is "clear it".
 */
export type Reader<T> = ((value: FormValue, path: string) => T) & {
  /** The parameters inside, where the reader reads them one by one. */
  readonly shape?: Shape
}
export type Shape = Readonly<Record<string, Reader<unknown>>>
export type Params<S extends Shape> = { readonly [K in keyof S]?: ReturnType<S[K]> | null }
export type Metadata = Record<string, string>
/** Keys to set, and with null keys to remove. */
export type MetadataChange = Record<string, string | null>
export type Range = { gt?: number; gte?: number; lt?: number; lte?: number }

export function text(max = 5000): Reader<string> {
  return (value, path) => {
    if (typeof value !== 'string') throw invalidParameter(`Invalid string: ${shown(value)}`, { param: path })
    if (value.length > max) {
      throw invalidParameter(
        `Invalid string: ${value.slice(0, 10)}...${value.slice(-5)}; must be at most ${max} characters`,
        { param: path, code: 'parameter_invalid_string_length' },
      )
    }
    return value
  }
}

export function integer(range: { min?: number; max?: number } = {}): Reader<number> {
  return (value, path) => {
    const number = typeof value === 'string' && /^-?\d{1,15}$/.test(value) ? Number(value) : Number.NaN
    if (Number.isNaN(number)) {
      throw invalidParameter(`Invalid integer: ${shown(value)}`, {
        param: path,
        code: 'parameter_invalid_integer',
      })
    }
    const { min, max } = range
    if (min !== undefined && number < min) {
      throw invalidParameter(`This value must be greater than or equal to ${min}.`, {
        param: path,
        code: 'parameter_invalid_integer',
      })
    }
    if (max !== undefined && number > max) {
      throw invalidParameter(
        `This value must be less than or equal to ${max} (it currently is '${number}').`,
        {
          param: path,
          code: 'parameter_invalid_integer',
        },
      )
    }
    return number
  }
}

/** A number that need not be whole, such as a percentage. */
export function decimal(range: { above: number; max: number }): Reader<number> {
  return (value, path) => {
    const number =
      typeof value === 'string' && /^-?\d{1,12}(\.\d{1,12})?$/.test(value) ? Number(value) : Number.NaN
    if (number > range.above && number <= range.max) return number
    throw invalidParameter(
      `Invalid decimal: ${shown(value)}; must be above ${range.above} and at most ${range.max}`,
      {
        param: path,
        code: 'parameter_invalid_decimal',
      },
    )
  }
}

export function flag(): Reader<boolean> {
  return (value, path) => {
    // Python writes True.
    const word = typeof value === 'string' ? value.toLowerCase() : ''
    if (word === 'true' || word === '1') return true
    if (word === 'false' || word === '0') return false
    throw invalidParameter(`Invalid boolean: ${shown(value)}`, { param: path })
  }
}

export function choice<const T extends string>(...allowed: readonly T[]): Reader<T> {
  return (value, path) => {
    const found = allowed.find((candidate) => candidate === value)
    if (found !== undefined) return found
    const name = path.replace(/^.*\[(.*)\]$/, '$1')
    const list =
      allowed.length < 2 ? allowed.join('') : `${allowed.slice(0, -1).join(', ')}, or ${allowed.at(-1)}`
    throw invalidParameter(`Invalid ${name}: must be one of ${list}`, { param: path })
  }
}

export function currency(): Reader<string> {
  return (value, path) => {
    const code = text(20)(value, path).toLowerCase()
    if (KNOWN_CURRENCIES.has(code)) return code
    throw invalidParameter(
      `Invalid currency: ${code}. Stripe currently supports these currencies: ${CURRENCIES.join(', ')}`,
      { param: path },
    )
  }
}

/** An address a browser can be sent to. */
export function url(): Reader<string> {
  return (value, path) => {
    const address = text(5000)(value, path)
    const probe = address.replaceAll(/\{CHECKOUT_SESSION_ID\}/g, 'x')
    if (/^https?:\/\//i.test(probe) && URL.canParse(probe)) return address
    throw invalidParameter('Not a valid URL', { param: path, code: 'url_invalid' })
  }
}

export function email(): Reader<string> {
  return (value, path) => {
    const address = text(512)(value, path)
    if (/^[^\s@]+@[^\s@]+\.[^\s@]+$/.test(address)) return address
    throw invalidParameter(`Invalid email address: ${address}`, { param: path, code: 'email_invalid' })
  }
}

export function list<T>(item: Reader<T>, max = 100): Reader<T[]> {
  const read = (value: FormValue, path: string): T[] => {
    if (!Array.isArray(value)) throw invalidParameter('Invalid array', { param: path })
    if (value.length > max) {
      throw invalidParameter(`The array contains too many elements: at most ${max} are allowed.`, {
        param: path,
      })
    }
    return value.map((element, index) => item(element, `${path}[${index}]`))
  }
  return item.shape ? Object.assign(read, { shape: item.shape }) : read
}

/** A parameter of which the sandbox has only these values; the others are refused, so that none is taken and ignored. */
export function only<T extends string | number | boolean>(
  reader: Reader<T>,
  ...had: readonly T[]
): Reader<T> {
  return (value, path) => {
    const read = reader(value, path)
    if (had.includes(read)) return read
    throw invalidParameter(
      `The sandbox does not have ${String(read)} for Stripe's parameter ${path}, only ${had.join(' and ')}.`,
      { param: path },
    )
  }
}

/** What was sent, or what is there already where nothing was: `null` clears. */
export function sentOr<T>(sent: T | undefined, before: T): T {
  return sent === undefined ? before : sent
}

export function metadata(): Reader<MetadataChange> {
  return (value, path) => {
    if (typeof value === 'string') throw invalidParameter('Invalid hash', { param: path })
    const change: MetadataChange = {}
    for (const [key, entry] of Object.entries(value)) {
      const entryPath = `${path}[${key}]`
      if (key.length > 40) {
        throw invalidParameter(`Metadata keys can be at most 40 characters; '${key}' is too long.`, {
          param: entryPath,
        })
      }
      const stored = text(5000)(entry, entryPath)
      if (stored.length > 500) {
        throw invalidParameter(
          `Metadata values can have up to 500 characters, but you passed in a value that is ${stored.length} characters. Invalid value: ${stored.slice(0, 20)}...`,
          { param: entryPath },
        )
      }
      Object.defineProperty(change, key, {
        value: stored === '' ? null : stored,
        enumerable: true,
        writable: true,
        configurable: true,
      })
    }
    return change
  }
}

/** `created=…` or `created[gte]=…`. */
export function range(): Reader<Range> {
  const bounds = object({ gt: integer(), gte: integer(), lt: integer(), lte: integer() })
  return (value, path) => {
    if (typeof value === 'string') {
      const exactly = integer()(value, path)
      return { gte: exactly, lte: exactly }
    }
    const read = bounds(value, path)
    return Object.fromEntries(Object.entries(read).filter((entry) => entry[1] !== null))
  }
}

export function object<S extends Shape>(shape: S): Reader<Params<S>> {
  const read = (value: FormValue, path: string): Params<S> => {
    if (value === '') return {}
    if (typeof value === 'string' || Array.isArray(value)) {
      throw invalidParameter('Invalid object', { param: path })
    }
    return readObject(shape, value, path)
  }
  return Object.assign(read, { shape })
}

/** The same parameters for any number of currencies: `currency_options[usd][amount_off]=…`. */
export function byCurrency<S extends Shape>(shape: S): Reader<Record<string, Params<S>>> {
  const option = object(shape)
  return (value, path) => {
    if (typeof value === 'string' || Array.isArray(value)) {
      throw invalidParameter('Invalid hash', { param: path })
    }
    return Object.fromEntries(
      Object.entries(value).map(([code, inner]) => {
        const at = childPath(path, code)
        return [currency()(code, at), option(inner, at)]
      }),
    )
  }
}

/** Reads the parameters of a whole request; unknown ones are refused. */
export function readParams<S extends Shape>(shape: S, form: FormObject): Params<S> {
  return readObject(shape, form, '')
}

function readObject<S extends Shape>(shape: S, form: FormObject, path: string): Params<S> {
  const names = Object.keys(form)
  const isKnown = (name: string): boolean => Object.hasOwn(shape, name)
  if (!names.every(isKnown)) {
    const unknown = names.filter((name) => !isKnown(name))
    throw unknownParameters(unknown.map((name) => childPath(path, name)))
  }
  const read = emptyForm() as Record<string, unknown>
  for (const name of names) {
    const value = form[name] ?? ''
    read[name] = value === '' ? null : shape[name]?.(value, childPath(path, name))
  }
  return read as Params<S>
}

/** The 400 that names parameters Stripe does not know. */
export function unknownParameters(names: string[], code: string | null = 'parameter_unknown'): Error {
  const sentence =
    names.length === 1
      ? `Received unknown parameter: ${names[0]}`
      : `Received unknown parameters: ${names.join(', ')}`
  return invalidParameter(sentence, { ...(code === null ? {} : { code }), param: names[0] ?? '' })
}

function childPath(path: string, name: string): string {
  return path === '' ? name : `${path}[${name}]`
}

function shown(value: FormValue): string {
  return typeof value === 'string' ? value.slice(0, 100) : JSON.stringify(value).slice(0, 100)
}

/** Metadata after a change: null clears everything, a null value removes its key, at most 50 keys stay. */
export function changeMetadata(current: Metadata, change: MetadataChange | null | undefined): Metadata {
  if (change === undefined) return current
  if (change === null) return {}
  const kept = Object.entries({ ...current, ...change }).filter(
    (entry): entry is [string, string] => entry[1] !== null,
  )
  if (kept.length > 50) {
    throw invalidParameter('You can only have up to 50 metadata keys.', { param: 'metadata' })
  }
  return Object.fromEntries(kept)
}
