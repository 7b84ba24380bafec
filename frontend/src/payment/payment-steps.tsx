import type { ReactNode } from 'react'
import { useLanguage } from '../language/language-context.tsx'
import { CheckIcon } from '../ui/icons.tsx'
import type { PayerView } from '../payment-status/payer-view.ts'

const STEPS = ['booked', 'paid', 'confirmed'] as const

// How many steps are behind the payer; null where the way of the booking has ended, or is not known.
const STEPS_DONE: Record<PayerView['kind'], number | null> = {
  verifying: 1,
  slow: 1,
  unfinished: 1,
  requires_action: 1,
  offline: null,
  unknown_link: null,
  other_device: null,
  paid: 3,
  already_paid: 3,
  booking_lost: null,
  processing: 1,
  failed: 1,
  canceled: 1,
  released: null,
  expired: null,
  refunded: null,
}

/** How far the booking has come: booked, paid, confirmed. */
export function PaymentSteps({ kind }: { kind: PayerView['kind'] }): ReactNode {
  const { messages } = useLanguage()
  const done = STEPS_DONE[kind]
  if (done === null) return null
  const { label, done: past, ahead } = messages.payment.steps
  return (
    <ol className="steps" aria-label={label}>
      {STEPS.map((step, index) => (
        <li
          key={step}
          className={index < done ? 'step step-done' : 'step'}
          aria-current={index === done ? 'step' : undefined}
        >
          <span className="step-dot" aria-hidden="true">
            {index < done && <CheckIcon />}
          </span>
          {index < done ? past[step] : ahead[step]}
        </li>
      ))}
    </ol>
  )
}
