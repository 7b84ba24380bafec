import type { Pool } from 'pg'
import { AMOUNT_MINOR } from './record-life.ts'

/**
 * Makes `payments` payments with an open session each, exactly as creating the session through the API leaves them:
 * the rows are written by SQL because the API makes a few hundred a second.
 */
export async function seedPayments(pool: Pool, tag: string, payments: number): Promise<void> {
  const id = (prefix: string): string => `'${prefix}_${tag}' || lpad(i::text, 22, '0')`
  const session = `'cs_test_a1' || md5('${tag}' || i) || left(md5(i || '${tag}'), 24)`
  const asked = `jsonb_build_object('number', 1, 'amountMinor', ${AMOUNT_MINOR}, 'currency', 'eur', 'livemode', false, 'withdrawn', false)`
  const opened = `jsonb_build_object('attemptId', ${id('att')}, 'intentId', null, 'state', 'open', 'money', 'unpaid',
    'amountMinor', ${AMOUNT_MINOR}, 'currency', 'eur', 'livemode', false, 'expiresAt', extract(epoch from now())::int + 1800)`
  const known = `jsonb_build_object('attempts', jsonb_build_object(${id('att')}, ${asked}),
    'sessions', jsonb_build_object(${session}, ${opened}), 'intents', '{}'::jsonb, 'charges', '{}'::jsonb,
    'refunds', '{}'::jsonb, 'disputes', '{}'::jsonb)`
  const series = `generate_series(0, ${payments - 1}) as i`
  await pool.query(
    `insert into payments (id, booking_id, customer_id, livemode, amount_minor, currency, known, version)
     select ${id('pay')}, ${id('bkg')}, 'cus_bench', false, ${AMOUNT_MINOR}, 'eur', ${known}, 2 from ${series}`,
  )
  await pool.query(
    `insert into payment_attempts (id, payment_id, number, kind, state, amount_minor, currency, parameters, session_id, checkout_url, expires_at)
     select ${id('att')}, ${id('pay')}, 1, 'checkout_session', 'open', ${AMOUNT_MINOR}, 'eur', '{"mode": "payment"}',
            ${session}, 'https://checkout.stripe.com/c/pay/' || ${session}, now() + interval '30 minutes' from ${series}`,
  )
  await pool.query(
    `insert into stripe_objects (id, payment_id) select ${session}, ${id('pay')} from ${series}`,
  )
}
