import type { JWK } from 'jose'
import type { Queryable } from '@passerelle/kit/database'
import { invariant } from '@passerelle/kit/errors'
import type { DemoCustomer, DemoRole } from './demo-customer.ts'

export type SigningKeyPair = { readonly privateJwk: JWK; readonly publicJwk: JWK }

export async function findSigningKey(db: Queryable): Promise<SigningKeyPair | null> {
  const { rows } = await db.query<{ private_jwk: JWK; public_jwk: JWK }>(
    'select private_jwk, public_jwk from demo_signing_key',
  )
  return rows[0] ? { privateJwk: rows[0].private_jwk, publicJwk: rows[0].public_jwk } : null
}

/** Keeps the pair unless another process was first, and returns the one that is kept. */
export async function keepSigningKey(db: Queryable, pair: SigningKeyPair): Promise<SigningKeyPair> {
  await db.query(
    'insert into demo_signing_key (private_jwk, public_jwk) values ($1, $2) on conflict (only_one) do nothing',
    [JSON.stringify(pair.privateJwk), JSON.stringify(pair.publicJwk)],
  )
  const kept = await findSigningKey(db)
  invariant(kept, 'a signing key was just kept')
  return kept
}

export type DemoSignIn = {
  readonly cookieHash: string
  readonly cookieExpiresAt: Date
  readonly name: string | null
  readonly role: DemoRole | null
}

/** The customer of a cookie, with the cookie's life begun anew and a given name or role taken over; null for an unknown or expired one. */
export async function renewDemoCustomer(
  db: Queryable,
  signIn: DemoSignIn,
  now: Date,
): Promise<DemoCustomer | null> {
  const { rows } = await db.query<DemoCustomer>(
    `update demo_customers set name = coalesce($2, name), role = coalesce($3, role), cookie_expires_at = $4
     where cookie_hash = $1 and cookie_expires_at > $5 returning id, name, role`,
    [signIn.cookieHash, signIn.name, signIn.role, signIn.cookieExpiresAt, now],
  )
  return rows[0] ?? null
}

export async function insertDemoCustomer(
  db: Queryable,
  customer: DemoCustomer,
  signIn: DemoSignIn,
): Promise<void> {
  await db.query(
    'insert into demo_customers (id, name, role, cookie_hash, cookie_expires_at) values ($1, $2, $3, $4, $5)',
    [customer.id, customer.name, customer.role, signIn.cookieHash, signIn.cookieExpiresAt],
  )
}
