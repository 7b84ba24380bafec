import {
  SignJWT,
  calculateJwkThumbprint,
  createLocalJWKSet,
  exportJWK,
  generateKeyPair,
  importJWK,
} from 'jose'
import type { JSONWebKeySet, JWTVerifyGetKey } from 'jose'
import type { AuthConfig } from '@passerelle/kit/caller'
import type { Pool } from '@passerelle/kit/database'
import { findSigningKey, keepSigningKey } from './demo.repository.ts'
import type { SigningKeyPair } from './demo.repository.ts'
import type { DemoCustomer } from './demo-customer.ts'

export type DemoKeys = {
  /** A JWT for the customer, as a real sign-in would issue it. */
  readonly sign: (customer: DemoCustomer, now: Date) => Promise<string>
  /** What other services verify such a token with; null when the shared AUTH_JWT_SECRET signs. */
  readonly own: { readonly jwks: JSONWebKeySet; readonly getKey: JWTVerifyGetKey } | null
}

const TOKEN_LIFE_SECONDS = 12 * 60 * 60

/** The keys of the demo: AUTH_JWT_SECRET when set, otherwise a pair of its own, made once and kept in the database. */
export async function openDemoKeys(pool: Pool, auth: AuthConfig): Promise<DemoKeys> {
  const [newest] = auth.jwtSecrets
  if (newest !== undefined) {
    const secret = new TextEncoder().encode(newest)
    return {
      sign: (customer, now) => tokenOf(customer, now, auth).setProtectedHeader({ alg: 'HS256' }).sign(secret),
      own: null,
    }
  }
  const pair = (await findSigningKey(pool)) ?? (await keepSigningKey(pool, await newKeyPair()))
  const key = await importJWK(pair.privateJwk, 'ES256')
  const header = { alg: 'ES256', ...(pair.publicJwk.kid === undefined ? {} : { kid: pair.publicJwk.kid }) }
  const jwks = { keys: [pair.publicJwk] }
  return {
    sign: (customer, now) => tokenOf(customer, now, auth).setProtectedHeader(header).sign(key),
    own: { jwks, getKey: createLocalJWKSet(jwks) },
  }
}

function tokenOf(customer: DemoCustomer, now: Date, auth: AuthConfig): SignJWT {
  const issuedAt = Math.floor(now.getTime() / 1000)
  const token = new SignJWT({
    roles: customer.role === 'operator' ? ['operator'] : [],
    ...(customer.name === null ? {} : { name: customer.name }),
  })
    .setSubject(customer.id)
    .setIssuedAt(issuedAt)
    .setExpirationTime(issuedAt + TOKEN_LIFE_SECONDS)
  if (auth.issuer !== undefined) token.setIssuer(auth.issuer)
  if (auth.audience !== undefined) token.setAudience(auth.audience)
  return token
}

async function newKeyPair(): Promise<SigningKeyPair> {
  const { privateKey, publicKey } = await generateKeyPair('ES256', { extractable: true })
  const publicJwk = await exportJWK(publicKey)
  const kid = await calculateJwkThumbprint(publicJwk)
  return {
    privateJwk: await exportJWK(privateKey),
    publicJwk: { ...publicJwk, kid, alg: 'ES256', use: 'sig' },
  }
}
