import { renderCoupon } from '../accounts/coupon.ts'
import { isBefore } from '../http/version.ts'
import { API_VERSION } from '../settings.ts'
import type { Reads } from '../store/store.ts'

type Json = Readonly<Record<string, unknown>>
/** What a breaking change of the API did to one kind of object, undone. */
type Change = {
  readonly day: string
  readonly object: string
  readonly undo: (json: Json, reads: Reads) => Json
}

const OLD_UI_MODES: Readonly<Record<string, string>> = {
  hosted_page: 'hosted',
  embedded_page: 'embedded',
  elements: 'custom',
}

// The newest first: an object goes back through time. Only what broke; what was merely added is there at every version.
const CHANGES: readonly Change[] = [
  {
    day: '2026-03-25',
    object: 'checkout.session',
    undo: (json) => ({ ...json, ui_mode: OLD_UI_MODES[String(json['ui_mode'])] ?? json['ui_mode'] }),
  },
  {
    day: '2025-09-30',
    object: 'discount',
    undo: ({ source, ...json }, reads) => ({ ...json, coupon: wholeCoupon(source, reads) }),
  },
  {
    day: '2025-09-30',
    object: 'promotion_code',
    undo: ({ promotion, ...json }, reads) => ({ ...json, coupon: wholeCoupon(promotion, reads) }),
  },
  { day: '2025-03-31', object: 'payment_intent', undo: (json) => ({ ...json, invoice: null }) },
  { day: '2025-03-31', object: 'charge', undo: (json) => ({ ...json, invoice: null }) },
  {
    day: '2025-03-31',
    object: 'checkout.session',
    undo: (json) => ({ ...json, shipping_details: null }),
  },
]

/** The object as a caller or an endpoint of that version knows it, and everything inside it. */
export function atVersion(value: object, version: string, reads: Reads): object {
  if (version === API_VERSION) return value
  const undone = CHANGES.filter(({ day }) => isBefore(version, day))
  return undone.length === 0 ? value : (back(value, undone, reads) as object)
}

function back(value: unknown, undone: readonly Change[], reads: Reads): unknown {
  if (typeof value !== 'object' || value === null) return value
  if (Array.isArray(value)) return value.map((item: unknown) => back(item, undone, reads))
  const inside = Object.entries(value).map(([name, inner]) => [name, back(inner, undone, reads)])
  let json = Object.fromEntries(inside) as Json
  for (const { object, undo } of undone) if (json['object'] === object) json = undo(json, reads)
  return json
}

// Older versions carry the coupon itself where newer ones name it.
function wholeCoupon(place: unknown, reads: Reads): unknown {
  const { coupon } = (place ?? {}) as { coupon?: unknown }
  const record = typeof coupon === 'string' ? reads.get('coupons', coupon) : undefined
  return record ? renderCoupon(record, reads.nowSeconds()) : (coupon ?? null)
}
