import type { Tx } from '@passerelle/kit/database'

/** The payments of a customer, locked in the one order in which payments are locked. */
export async function lockPaymentsOfCustomer(tx: Tx, customerId: string): Promise<string[]> {
  const { rows } = await tx.query<{ id: string }>(
    'select id from payments where customer_id = $1 order by id for no key update',
    [customerId],
  )
  return rows.map(({ id }) => id)
}

/** Puts the pseudonym in the customer's place; from then on the payments count as erased. */
export async function renameCustomer(
  tx: Tx,
  paymentIds: readonly string[],
  pseudonym: string,
): Promise<void> {
  await tx.query('update payments set customer_id = $2, erased_at = now() where id = any($1)', [
    paymentIds,
    pseudonym,
  ])
}

export async function removeStatusTokens(tx: Tx, paymentIds: readonly string[]): Promise<number> {
  const { rowCount } = await tx.query('delete from status_tokens where payment_id = any($1)', [paymentIds])
  return rowCount ?? 0
}

/** What still needs what it holds of the customer: attempts that are open, and events whose effect is owed. */
export async function countUnerasable(
  tx: Tx,
  paymentIds: readonly string[],
): Promise<{ openAttempts: number; owedEvents: number }> {
  const { rows } = await tx.query<{ openAttempts: number; owedEvents: number }>(
    `select (select count(*)::int from payment_attempts where payment_id = any($1) and state <> 'closed') as "openAttempts",
            (select count(*)::int from stripe_events where payment_id = any($1) and status = 'received') as "owedEvents"`,
    [paymentIds],
  )
  return rows[0] ?? { openAttempts: 0, owedEvents: 0 }
}
