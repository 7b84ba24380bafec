import type { Payment, Verification } from './payment.ts'
import type { WatchSnapshot } from './watch-payment.ts'

/** A payment of 129.50 € for tests, unless told otherwise. */
export function aPayment(change: Partial<Payment> = {}): Payment {
  return {
    bookingId: 'bkg_1',
    status: 'pending',
    amount: 129.5,
    amountMinor: 12_950,
    currency: 'eur',
    paidAt: null,
    refundedAmount: 0,
    refundedAmountMinor: 0,
    refundedAt: null,
    errorCode: null,
    errorMessage: null,
    adviceCode: null,
    nextAction: null,
    expectedBy: null,
    bookingLost: false,
    updatedAt: '2026-11-24T10:00:00Z',
    version: 1,
    ...change,
  }
}

export function aVerification(change: Partial<Verification> = {}): Verification {
  return {
    sessionId: 'cs_test_1',
    bookingId: 'bkg_1',
    status: 'open',
    paymentStatus: 'pending',
    amount: 129.5,
    amountMinor: 12_950,
    currency: 'eur',
    paidAt: null,
    duplicate: null,
    ...change,
  }
}

export function aSnapshot(change: Partial<WatchSnapshot> = {}): WatchSnapshot {
  return {
    payment: null,
    verification: { state: 'none' },
    problem: null,
    online: true,
    attempts: 1,
    phase: 'watching',
    slow: false,
    ...change,
  }
}
