// One-dimensional arrays as PostgreSQL's binary format carries them: written without quoting on this side and read
// without parsing on the other. The element type stands in the value itself, so the function has to fit the column.
// https://www.postgresql.org/docs/18/protocol-overview.html#PROTOCOL-FORMAT-CODES; layout: array_recv in arrayfuncs.c

// Of pg_type.dat.
const OID = { bool: 16, int8: 20, int4: 23, text: 25, float8: 701, jsonb: 3802 } as const
// Dimensions, whether there are nulls, the element type, and of the one dimension its length and lower bound.
const HEADER_BYTES = 20
const LENGTH_BYTES = 4
const NULL_LENGTH = -1
const JSONB_VERSION = 1

/** `text[]`; a text with a NUL character is refused by the server. */
export function textArray(values: readonly (string | null)[]): Buffer {
  let bytes = HEADER_BYTES + values.length * LENGTH_BYTES
  for (const value of values) if (value !== null) bytes += Buffer.byteLength(value)
  const { array, start } = begin(OID.text, values, bytes)
  let at = start
  for (const value of values) {
    const length = value === null ? NULL_LENGTH : array.write(value, at + LENGTH_BYTES, 'utf8')
    at = array.writeInt32BE(length, at) + Math.max(length, 0)
  }
  return array
}

/** `jsonb[]` of texts that are JSON; null is the database's null, not JSON's. */
export function jsonbArray(values: readonly (string | null)[]): Buffer {
  let bytes = HEADER_BYTES + values.length * LENGTH_BYTES
  for (const value of values) if (value !== null) bytes += 1 + Buffer.byteLength(value)
  const { array, start } = begin(OID.jsonb, values, bytes)
  let at = start
  for (const value of values) {
    if (value === null) {
      at = array.writeInt32BE(NULL_LENGTH, at)
      continue
    }
    const length = array.write(value, at + LENGTH_BYTES + 1, 'utf8') + 1
    array.writeInt8(JSONB_VERSION, array.writeInt32BE(length, at))
    at += LENGTH_BYTES + length
  }
  return array
}

/** `int4[]`; throws a RangeError for what is no integer of 32 bits. */
export const intArray = (values: readonly (number | null)[]): Buffer =>
  fixedArray(OID.int4, 4, values, (array, value, at) => array.writeInt32BE(integer(value), at))

/** `int8[]` of safe integers; throws a RangeError for others. */
export const bigintArray = (values: readonly (number | null)[]): Buffer =>
  fixedArray(OID.int8, 8, values, (array, value, at) => array.writeBigInt64BE(BigInt(integer(value)), at))

/** `float8[]` */
export const floatArray = (values: readonly (number | null)[]): Buffer =>
  fixedArray(OID.float8, 8, values, (array, value, at) => array.writeDoubleBE(value, at))

/** `bool[]` */
export const boolArray = (values: readonly (boolean | null)[]): Buffer =>
  fixedArray(OID.bool, 1, values, (array, value, at) => array.writeInt8(value ? 1 : 0, at))

function fixedArray<T>(
  oid: number,
  size: number,
  values: readonly (T | null)[],
  write: (array: Buffer, value: T, at: number) => void,
): Buffer {
  const nulls = values.reduce((count: number, value) => (value === null ? count + 1 : count), 0)
  const bytes = HEADER_BYTES + values.length * LENGTH_BYTES + (values.length - nulls) * size
  const { array, start } = begin(oid, values, bytes)
  let at = start
  for (const value of values) {
    at = array.writeInt32BE(value === null ? NULL_LENGTH : size, at)
    if (value === null) continue
    write(array, value, at)
    at += size
  }
  return array
}

function begin(
  oid: number,
  values: readonly unknown[],
  bytes: number,
): { readonly array: Buffer; readonly start: number } {
  const array = Buffer.allocUnsafe(bytes)
  const header = [1, values.includes(null) ? 1 : 0, oid, values.length, 1]
  return { array, start: header.reduce((at, field) => array.writeInt32BE(field, at), 0) }
}

function integer(value: number): number {
  if (Number.isSafeInteger(value)) return value
  throw new RangeError(`${value} is not an integer that a number holds exactly`)
}
