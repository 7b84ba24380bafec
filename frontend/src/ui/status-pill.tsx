import type { ReactNode } from 'react'
import { useLanguage } from '../language/language-context.tsx'
import type { BookingState } from '../api/booking-state.ts'

export function StatusPill({ state }: { state: BookingState }): ReactNode {
  const { messages } = useLanguage()
  return <p className={`pill pill-${state}`}>{messages.booking.status[state]}</p>
}
