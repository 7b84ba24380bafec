import { invalidRequest } from '../errors.ts'
import { emit } from '../events/event.ts'
import { newNumberedId } from '../ids.ts'
import { render } from '../resources.ts'
import type { ChargeRecord, DisputeRecord } from '../store/records.ts'
import type { Tx } from '../store/store.ts'
import { later } from '../tasks.ts'
import { book } from './balance.ts'
import { isClosed, isInquiry } from './dispute.ts'
import { failRefundsOfDisputed } from './refund-charge.ts'
import type { Metadata } from '../http/params.ts'

const DUE_AFTER_DAYS = 8
const DAY_S = 86_400

/** The payer's bank takes the money back (`fraudulent`, `product_not_received`, …) or first asks (`inquiry`). */
export function openDispute(tx: Tx, chargeId: string, why: string): DisputeRecord | undefined {
  const charge = tx.get('charges', chargeId)
  const method = tx.get('payment_methods', charge?.paymentMethod ?? '')
  if (!charge?.captured) return undefined
  const inquiry = why === 'inquiry'
  const opened = tx.put('disputes', {
    id: newNumberedId('du'),
    created: tx.now,
    charge: charge.id,
    paymentIntent: charge.paymentIntent,
    amount: charge.amountCaptured,
    currency: charge.currency,
    reason: inquiry ? 'fraudulent' : why,
    status: inquiry ? 'warning_needs_response' : 'needs_response',
    brand: method?.brand ?? 'visa',
    metadata: {},
    evidence: {},
    submissions: 0,
    dueBy: (Math.floor(tx.now / DAY_S) + DUE_AFTER_DAYS + 1) * DAY_S - 1,
    balanceTransactions: [],
  })
  tx.put('charges', { ...charge, disputed: true })
  const dispute = inquiry ? opened : withdraw(tx, opened)
  emit(tx, 'charge.dispute.created', render(tx, 'disputes', dispute))
  if (!inquiry) emit(tx, 'charge.dispute.funds_withdrawn', render(tx, 'disputes', dispute))
  return dispute
}

/** Opens now what the payment's card makes open in a moment. */
export function openExpectedDisputes(tx: Tx, paymentIntent: string): void {
  for (const task of tx.table('tasks').oldestFirst()) {
    if (task.kind !== 'open_dispute') continue
    if (tx.get('charges', task.subject)?.paymentIntent !== paymentIntent) continue
    tx.remove('tasks', task.id)
    openDispute(tx, task.subject, task.note ?? 'fraudulent')
  }
}

/** The issuer reports the payment as fraudulent; no money moves. */
export function warnOfFraud(tx: Tx, chargeId: string): void {
  const charge = tx.get('charges', chargeId)
  if (!charge) return
  const warning = tx.put('early_fraud_warnings', {
    id: newNumberedId('issfr'),
    created: tx.now,
    charge: charge.id,
    paymentIntent: charge.paymentIntent,
    fraudType: 'misc',
  })
  emit(tx, 'radar.early_fraud_warning.created', render(tx, 'early_fraud_warnings', warning))
}

export type DisputeUpdate = {
  readonly evidence: Record<string, string | null>
  readonly metadata: Metadata
  readonly submit: boolean
  readonly intendedSubmission?: DisputeRecord['intendedSubmission'] | undefined
}

/** Keeps evidence, and hands it in when `submit`: the magic texts then decide the dispute a little later. */
export function updateDispute(tx: Tx, dispute: DisputeRecord, change: DisputeUpdate): DisputeRecord {
  requireOpen(dispute)
  const evidence = Object.fromEntries(
    Object.entries({ ...dispute.evidence, ...change.evidence }).filter(
      (entry): entry is [string, string] => entry[1] !== null,
    ),
  )
  const submitted = change.submit && Object.keys(evidence).length > 0
  const status = isInquiry(dispute) ? 'warning_under_review' : 'under_review'
  const changed = tx.put('disputes', {
    ...dispute,
    evidence,
    metadata: change.metadata,
    ...(change.intendedSubmission === undefined ? {} : { intendedSubmission: change.intendedSubmission }),
    ...(submitted ? { status, submissions: dispute.submissions + 1 } : {}),
  })
  emit(
    tx,
    'charge.dispute.updated',
    render(tx, 'disputes', changed),
    submitted ? { status: dispute.status } : null,
  )
  tellCharge(tx, dispute.charge)
  if (submitted) expectDecision(tx, changed)
  return changed
}

function expectDecision(tx: Tx, dispute: DisputeRecord): void {
  const text = dispute.evidence['uncategorized_text']
  const verdict = isInquiry(dispute)
    ? {
        winning_evidence: 'warning_closed',
        losing_evidence: 'escalate',
        escalate_inquiry_evidence: 'escalate',
      }[text ?? '']
    : { winning_evidence: 'won', losing_evidence: 'lost' }[text ?? '']
  if (verdict)
    later(tx, 'decide_dispute', dispute.id, { ms: tx.settings.disputeDecidedDelayMs, note: verdict })
}

/** The bank's verdict: won, lost, warning_closed, or an inquiry that becomes a chargeback (`escalate`). */
export function decideDispute(tx: Tx, id: string, verdict: string): void {
  const dispute = tx.get('disputes', id)
  if (!dispute || isClosed(dispute)) return
  if (verdict === 'escalate') escalate(tx, dispute)
  else if (verdict === 'won') win(tx, dispute)
  else close(tx, dispute, verdict)
}

/** The merchant accepts: lost at once, an inquiry is closed. */
export function closeDispute(tx: Tx, dispute: DisputeRecord): DisputeRecord {
  requireOpen(dispute)
  return close(tx, dispute, isInquiry(dispute) ? 'warning_closed' : 'lost')
}

function close(tx: Tx, dispute: DisputeRecord, status: string): DisputeRecord {
  const closed = tx.put('disputes', { ...dispute, status })
  emit(tx, 'charge.dispute.closed', render(tx, 'disputes', closed), { status: dispute.status })
  tellCharge(tx, dispute.charge)
  return closed
}

function win(tx: Tx, dispute: DisputeRecord): void {
  const row = book(tx, {
    amount: dispute.amount,
    fee: -tx.settings.disputeFee,
    currency: dispute.currency,
    type: 'adjustment',
    reportingCategory: 'dispute_reversal',
    source: dispute.id,
    description: `Chargeback reversal for ${dispute.charge}`,
  })
  const won = tx.put('disputes', {
    ...dispute,
    status: 'won',
    balanceTransactions: [...dispute.balanceTransactions, row.id],
  })
  emit(tx, 'charge.dispute.funds_reinstated', render(tx, 'disputes', won), { status: dispute.status })
  emit(tx, 'charge.dispute.closed', render(tx, 'disputes', won), { status: dispute.status })
}

function escalate(tx: Tx, dispute: DisputeRecord): void {
  const escalated = withdraw(tx, { ...dispute, status: 'needs_response' })
  emit(tx, 'charge.dispute.updated', render(tx, 'disputes', escalated), { status: dispute.status })
  emit(tx, 'charge.dispute.funds_withdrawn', render(tx, 'disputes', escalated))
  failRefundsOfDisputed(tx, dispute.charge)
}

function withdraw(tx: Tx, dispute: DisputeRecord): DisputeRecord {
  const row = book(tx, {
    amount: -dispute.amount,
    fee: tx.settings.disputeFee,
    currency: dispute.currency,
    type: 'adjustment',
    reportingCategory: 'dispute',
    source: dispute.id,
    description: `Chargeback withdrawal for ${dispute.charge}`,
    availableOn: tx.now,
  })
  return tx.put('disputes', { ...dispute, balanceTransactions: [...dispute.balanceTransactions, row.id] })
}

function requireOpen(dispute: DisputeRecord): void {
  if (isClosed(dispute)) throw invalidRequest('This dispute is already closed')
}

function tellCharge(tx: Tx, chargeId: string): void {
  const charge: ChargeRecord | undefined = tx.get('charges', chargeId)
  if (charge) emit(tx, 'charge.updated', render(tx, 'charges', charge), {})
}
