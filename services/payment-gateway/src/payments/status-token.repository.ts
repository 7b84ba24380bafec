import type { Queryable, Tx } from '@passerelle/kit/database'
import { newToken } from '@passerelle/kit/id'
import { hashToken } from '@passerelle/kit/secret'

// Longer than any delayed payment method takes to settle, and than a payer keeps the page's link.
const LIFE_DAYS = 30

/** A new token that may read this payment and nothing else. Only its hash is kept. */
export async function issueStatusToken(tx: Tx, paymentId: string): Promise<string> {
  const token = newToken()
  await tx.query(
    "insert into status_tokens (token_hash, payment_id, expires_at) values ($1, $2, now() + $3 * interval '1 day')",
    [hashToken(token), paymentId, LIFE_DAYS],
  )
  return token
}

/** The payment this token may read, or null when it is unknown or has run out. */
export async function findPaymentIdByStatusToken(db: Queryable, token: string): Promise<string | null> {
  const { rows } = await db.query<{ payment_id: string }>({
    name: 'find_payment_by_status_token',
    text: 'select payment_id from status_tokens where token_hash = $1 and expires_at > now()',
    values: [hashToken(token)],
  })
  return rows[0]?.payment_id ?? null
}

export async function isStatusTokenOf(db: Queryable, token: string, paymentId: string): Promise<boolean> {
  const { rowCount } = await db.query({
    name: 'is_status_token_of',
    text: 'select from status_tokens where token_hash = $1 and payment_id = $2 and expires_at > now()',
    values: [hashToken(token), paymentId],
  })
  return rowCount === 1
}

/** Removes up to `limit` tokens that have run out, and says how many. */
export async function removeExpiredTokens(tx: Tx, limit: number): Promise<number> {
  const { rowCount } = await tx.query({
    name: 'remove_expired_tokens',
    text: `delete from status_tokens where token_hash = any(array(
             select token_hash from status_tokens where expires_at <= now() order by expires_at limit $1))`,
    values: [limit],
  })
  return rowCount ?? 0
}
