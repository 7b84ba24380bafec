import { noSuch } from '../errors.ts'
import { LIST_CREATED, listPage } from '../http/list.ts'
import type { Operation } from '../http/operation.ts'
import { operation } from '../http/operation.ts'
import type { Reader } from '../http/params.ts'
import { changeMetadata, choice, flag, metadata, object, text } from '../http/params.ts'
import { render } from '../resources.ts'
import type { DisputeRecord } from '../store/records.ts'
import type { Reads } from '../store/store.ts'
import type { EvidenceField } from './dispute.ts'
import { EVIDENCE_FIELDS } from './dispute.ts'
import { closeDispute, openExpectedDisputes, updateDispute } from './dispute-charge.ts'

const EVIDENCE = Object.fromEntries(EVIDENCE_FIELDS.map((field) => [field, text(20_000)])) as Record<
  EvidenceField,
  Reader<string>
>

export const disputeOperations: readonly Operation[] = [
  operation(
    'GET /v1/disputes',
    { ...LIST_CREATED, charge: text(), payment_intent: text() },
    (tx, { params, path, fromCommandLine }) => {
      // `stripe trigger` asks for the dispute right after the payment: at Stripe the way there takes long enough.
      if (fromCommandLine && params.payment_intent) openExpectedDisputes(tx, params.payment_intent)
      return listPage(tx, 'disputes', {
        url: path,
        params,
        noun: 'dispute',
        keep: (row) =>
          (!params.charge || row.charge === params.charge) &&
          (!params.payment_intent || row.paymentIntent === params.payment_intent),
      })
    },
  ),
  operation('GET /v1/disputes/:id', {}, (tx, { id }) => render(tx, 'disputes', find(tx, id))),
  operation(
    'POST /v1/disputes/:id',
    {
      evidence: object(EVIDENCE),
      intended_submission_method: choice(
        'manual',
        'prefer_manual',
        'prefer_smart_disputes',
        'smart_disputes',
      ),
      metadata: metadata(),
      submit: flag(),
    },
    (tx, { id, params }) => {
      const dispute = find(tx, id)
      const evidence = (params.evidence ?? {}) as Record<string, string | null>
      const changed = updateDispute(tx, dispute, {
        evidence,
        intendedSubmission: params.intended_submission_method,
        metadata: changeMetadata(dispute.metadata, params.metadata),
        submit: params.submit ?? Object.keys(evidence).length > 0,
      })
      return render(tx, 'disputes', changed)
    },
  ),
  operation('POST /v1/disputes/:id/close', {}, (tx, { id }) =>
    render(tx, 'disputes', closeDispute(tx, find(tx, id))),
  ),
  operation(
    'GET /v1/radar/early_fraud_warnings',
    { ...LIST_CREATED, charge: text(), payment_intent: text() },
    (tx, { params, path }) =>
      listPage(tx, 'early_fraud_warnings', {
        url: path,
        params,
        noun: 'early fraud warning',
        keep: (row) =>
          (!params.charge || row.charge === params.charge) &&
          (!params.payment_intent || row.paymentIntent === params.payment_intent),
      }),
  ),
  operation('GET /v1/radar/early_fraud_warnings/:id', {}, (tx, { id }) => {
    const warning = tx.get('early_fraud_warnings', id)
    if (!warning) throw noSuch('early fraud warning', id, { param: 'early_fraud_warning' })
    return render(tx, 'early_fraud_warnings', warning)
  }),
]

function find(reads: Reads, id: string): DisputeRecord {
  const dispute = reads.get('disputes', id)
  if (!dispute) throw noSuch('dispute', id, { param: 'dispute' })
  return dispute
}
