import type { ReactNode } from 'react'
import { CheckIcon, ClockIcon, CrossIcon, OfflineIcon, QuestionIcon, ReturnIcon } from '../ui/icons.tsx'
import type { PayerView } from '../payment-status/payer-view.ts'

type Tone = 'good' | 'bad' | 'wait' | 'calm'
type Mark = { readonly tone: Tone; readonly icon: (() => ReactNode) | 'spinner' }

const MARK_OF: Record<PayerView['kind'], Mark> = {
  verifying: { tone: 'calm', icon: 'spinner' },
  slow: { tone: 'wait', icon: 'spinner' },
  unfinished: { tone: 'wait', icon: ClockIcon },
  offline: { tone: 'wait', icon: OfflineIcon },
  unknown_link: { tone: 'calm', icon: QuestionIcon },
  paid: { tone: 'good', icon: CheckIcon },
  already_paid: { tone: 'good', icon: CheckIcon },
  processing: { tone: 'wait', icon: ClockIcon },
  failed: { tone: 'bad', icon: CrossIcon },
  canceled: { tone: 'calm', icon: ReturnIcon },
  released: { tone: 'calm', icon: CheckIcon },
  expired: { tone: 'wait', icon: ClockIcon },
  refunded: { tone: 'good', icon: ReturnIcon },
}

/** The state at a glance. The words beside it say the same. */
export function PaymentMark({ kind }: { kind: PayerView['kind'] }): ReactNode {
  const { tone, icon: Icon } = MARK_OF[kind]
  return (
    <div className={`mark mark-${tone}`} aria-hidden="true">
      {Icon === 'spinner' ? <span className="spinner" /> : <Icon />}
    </div>
  )
}
