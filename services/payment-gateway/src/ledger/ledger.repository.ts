import type { Tx } from '@passerelle/kit/database'
import type { Posting } from './ledger.ts'

/** Adds postings of payments whose rows this transaction has locked; each is inserted whole, by one statement. */
export async function insertPostings(
  tx: Tx,
  postings: readonly (Posting & { readonly paymentId: string })[],
): Promise<void> {
  const entries = postings.flatMap(({ id, paymentId, currency, entries }) =>
    entries.map(({ account, amountMinor }) => ({ id, paymentId, account, amountMinor, currency })),
  )
  if (entries.length === 0) return
  await tx.query({
    name: 'insert_ledger_entries',
    text: `insert into ledger_entries (posting, payment_id, account, amount_minor, currency)
           select * from unnest($1::text[], $2::text[], $3::text[], $4::bigint[], $5::text[])`,
    values: [
      entries.map((entry) => entry.id),
      entries.map((entry) => entry.paymentId),
      entries.map((entry) => entry.account),
      entries.map((entry) => entry.amountMinor),
      entries.map((entry) => entry.currency),
    ],
  })
}
