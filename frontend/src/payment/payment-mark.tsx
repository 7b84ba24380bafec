import type { ReactNode } from 'react'
import {
  BankIcon,
  CheckIcon,
  ClockIcon,
  CrossIcon,
  DeviceIcon,
  OfflineIcon,
  QuestionIcon,
  ReturnIcon,
} from '../ui/icons.tsx'
import type { PayerView } from '../payment-status/payer-view.ts'

export type Tone = 'good' | 'bad' | 'wait' | 'calm'
type Mark = { readonly tone: Tone; readonly icon: (() => ReactNode) | 'spinner' }

const MARK_OF: Record<PayerView['kind'], Mark> = {
  verifying: { tone: 'calm', icon: 'spinner' },
  slow: { tone: 'wait', icon: 'spinner' },
  unfinished: { tone: 'wait', icon: ClockIcon },
  requires_action: { tone: 'wait', icon: BankIcon },
  offline: { tone: 'wait', icon: OfflineIcon },
  unknown_link: { tone: 'calm', icon: QuestionIcon },
  other_device: { tone: 'calm', icon: DeviceIcon },
  paid: { tone: 'good', icon: CheckIcon },
  already_paid: { tone: 'good', icon: CheckIcon },
  booking_lost: { tone: 'wait', icon: ReturnIcon },
  processing: { tone: 'wait', icon: ClockIcon },
  failed: { tone: 'bad', icon: CrossIcon },
  canceled: { tone: 'calm', icon: ReturnIcon },
  released: { tone: 'calm', icon: CheckIcon },
  expired: { tone: 'wait', icon: ClockIcon },
  refunded: { tone: 'good', icon: ReturnIcon },
}

export function toneOf(kind: PayerView['kind']): Tone {
  return MARK_OF[kind].tone
}

/** The state at a glance. The words beside it say the same. */
export function PaymentMark({ kind }: { kind: PayerView['kind'] }): ReactNode {
  const { icon: Icon } = MARK_OF[kind]
  return (
    <div className="mark" aria-hidden="true">
      {Icon === 'spinner' ? <span className="spinner" /> : <Icon />}
    </div>
  )
}
