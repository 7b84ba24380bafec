import type { ReactNode } from 'react'

const SHORT_CHARACTERS = 8

/** Enough to tell somebody on the telephone, not enough to open anything: BK-7F3A-20C4. */
export function shortReference(bookingId: string): string {
  const end = bookingId
    .replaceAll(/[^A-Za-z0-9]/g, '')
    .slice(-SHORT_CHARACTERS)
    .toUpperCase()
  return `BK-${end.slice(0, 4)}-${end.slice(4)}`
}

type Props = { readonly bookingId: string; readonly isMasked?: boolean }

/** What people call the booking, and below it, for whom it belongs to, what the services call it. */
export function Reference({ bookingId, isMasked = false }: Props): ReactNode {
  return (
    <span className="reference">
      {shortReference(bookingId)}
      {!isMasked && <small>{bookingId}</small>}
    </span>
  )
}
