// Values out of objects of which nothing is taken on trust.
import { isObject, isUnixSecond } from './event.ts'

/** The id of an object that may be given whole (expanded) or by its id. */
export function idOf(value: unknown): string | null {
  return isObject(value) ? text(value['id']) : text(value)
}

const TEXT_CHARACTERS_MAX = 500

// Ids and codes are at most 255 characters, messages a few hundred; neither NUL nor a lone surrogate fits a column.
export function text(value: unknown): string | null {
  if (typeof value !== 'string' || value === '' || value.includes('\0')) return null
  return value.length <= TEXT_CHARACTERS_MAX ? value.toWellFormed() : null
}

// It becomes a link: only what a browser opens as a page.
export function webAddress(value: unknown): string | null {
  const address = text(value)
  return address !== null && /^https?:\/\//.test(address) && URL.canParse(address) ? address : null
}

/** A whole number from 0 on, as amounts are; null for anything else. */
export function integer(value: unknown): number | null {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 ? value : null
}

/** A whole number of either sign, as movements are; null for anything else. */
export function signedInteger(value: unknown): number | null {
  return typeof value === 'number' && Number.isSafeInteger(value) ? value : null
}

/** A Unix second; null for anything else. */
export function second(value: unknown): number | null {
  return isUnixSecond(value) ? value : null
}

/** The value when it is one of those allowed, else null. */
export function oneOf<const T extends string>(value: unknown, allowed: readonly T[]): T | null {
  return allowed.find((candidate) => candidate === value) ?? null
}
