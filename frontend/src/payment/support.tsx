import type { ReactNode } from 'react'
import { useLanguage } from '../language/language-context.tsx'
import { shortReference } from '../ui/reference.tsx'

type Props = { readonly email: string; readonly bookingId: string; readonly isMasked: boolean }

/** Whom to write to, with the reference in the subject already. A masked page gives away no more than it shows. */
export function Support({ email, bookingId, isMasked }: Props): ReactNode {
  const { messages } = useLanguage()
  const short = shortReference(bookingId)
  const subject = messages.payment.supportSubject(isMasked ? short : `${short} (${bookingId})`)
  return (
    <p className="fine">
      {messages.payment.support}{' '}
      <a href={`mailto:${email}?subject=${encodeURIComponent(subject)}`}>{email}</a>
    </p>
  )
}
