// Deeper than any request here (4) by far. JSON.parse reads a million levels, but whatever walks the value after it
// (validation, JSON.stringify, a logger) recurses and would fail at some thousands.
export const JSON_DEPTH_MAX = 32

const QUOTE = 0x22
const BACKSLASH = 0x5c

/** Whether arrays and objects in this JSON text are nested deeper than `max`; says nothing about its being valid. */
export function isDeeperThan(json: string | Buffer, max: number): boolean {
  // Each level takes an opening and a closing byte.
  if (json.length < 2 * max) return false
  const at =
    typeof json === 'string' ? (index: number) => json.charCodeAt(index) : (index: number) => json[index]
  let depth = 0
  let inText = false
  for (let index = 0; index < json.length; index += 1) {
    const code = at(index)
    if (inText) {
      if (code === BACKSLASH) index += 1
      else if (code === QUOTE) inText = false
    } else if (code === QUOTE) inText = true
    // [ is 0x5b and { is 0x7b, ] is 0x5d and } is 0x7d: one bit apart.
    else if (code === 0x5b || code === 0x7b) {
      depth += 1
      if (depth > max) return true
    } else if (code === 0x5d || code === 0x7d) depth -= 1
  }
  return false
}
