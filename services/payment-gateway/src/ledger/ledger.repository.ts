import type { Queryable, Statement, Tx } from '@passerelle/kit/database'
import { bigintArray, textArray } from '@passerelle/kit/sql-array'
import type { Posting } from './ledger.ts'

/** Adds postings of payments whose rows this transaction has locked; each is inserted whole, by one statement. */
export function insertPostings(postings: readonly (Posting & { readonly paymentId: string })[]): Statement[] {
  const entries = postings.flatMap(({ id, paymentId, currency, entries }) =>
    entries.map(({ account, amountMinor }) => ({ id, paymentId, account, amountMinor, currency })),
  )
  if (entries.length === 0) return []
  return [
    {
      name: 'insert_ledger_entries',
      text: `insert into ledger_entries (posting, payment_id, account, amount_minor, currency)
           select * from unnest($1::text[], $2::text[], $3::text[], $4::bigint[], $5::text[])`,
      values: [
        textArray(entries.map((entry) => entry.id)),
        textArray(entries.map((entry) => entry.paymentId)),
        textArray(entries.map((entry) => entry.account)),
        bigintArray(entries.map((entry) => entry.amountMinor)),
        textArray(entries.map((entry) => entry.currency)),
      ],
    },
  ]
}

/** A charge whose fee has to be read from its balance transaction. */
export type FeeDue = {
  readonly chargeId: string
  readonly paymentId: string
  readonly balanceTransactionId: string
}

export function insertFeesDue(fees: readonly FeeDue[]): Statement[] {
  if (fees.length === 0) return []
  return [
    {
      name: 'insert_fees_due',
      text: `insert into fees_due (charge_id, payment_id, balance_transaction_id)
           select * from unnest($1::text[], $2::text[], $3::text[]) on conflict (charge_id) do nothing`,
      values: [
        textArray(fees.map((fee) => fee.chargeId)),
        textArray(fees.map((fee) => fee.paymentId)),
        textArray(fees.map((fee) => fee.balanceTransactionId)),
      ],
    },
  ]
}

/** Claims one fee that is due, for `leaseMs`. */
export async function claimFeeDue(db: Queryable, leaseMs: number): Promise<FeeDue | null> {
  const { rows } = await db.query<{ charge_id: string; payment_id: string; balance_transaction_id: string }>({
    name: 'claim_fee_due',
    text: `update fees_due set retry_at = now() + $1 * interval '1 millisecond'
           where charge_id = (select charge_id from fees_due where retry_at <= now()
                              order by retry_at limit 1 for update skip locked)
           returning charge_id, payment_id, balance_transaction_id`,
    values: [leaseMs],
  })
  const [row] = rows
  if (!row) return null
  return {
    chargeId: row.charge_id,
    paymentId: row.payment_id,
    balanceTransactionId: row.balance_transaction_id,
  }
}

export async function postponeFeeDue(db: Queryable, chargeId: string, waitMs: number): Promise<void> {
  await db.query(
    "update fees_due set retry_at = now() + $2 * interval '1 millisecond' where charge_id = $1",
    [chargeId, waitMs],
  )
}

export async function deleteFeeDue(tx: Tx, chargeId: string): Promise<void> {
  await tx.query('delete from fees_due where charge_id = $1', [chargeId])
}

export async function nextFeeDueInMs(db: Queryable): Promise<number | null> {
  const { rows } = await db.query<{ ms: number | null }>({
    name: 'next_fee_due',
    text: 'select (extract(epoch from min(retry_at) - now()) * 1000)::float8 as ms from fees_due',
  })
  return rows[0]?.ms ?? null
}
