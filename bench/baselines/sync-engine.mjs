// The Stripe sync engine from npm behind Express, as its README shows it. It mirrors Stripe's objects into tables and
// decides nothing; nobody is told. The one call it makes to Stripe for a session (its line items) is answered here.
import { createRequire } from 'node:module'
import express from 'express'

// Its ESM build cannot find its own migrations (`__dirname`); the CommonJS one can.
const { runMigrations, StripeSync } = createRequire(import.meta.url)('@supabase/stripe-sync-engine')

const { DATABASE_URL = '', STRIPE_WEBHOOK_SECRET = '', PORT } = process.env
const silent = { info() {}, error() {}, warn() {}, debug() {} }
await runMigrations({ databaseUrl: DATABASE_URL, schema: 'stripe', logger: silent })
const sync = new StripeSync({
  poolConfig: { connectionString: DATABASE_URL, max: 20, keepAlive: true },
  stripeSecretKey: 'sk_test_bench',
  stripeWebhookSecret: STRIPE_WEBHOOK_SECRET,
  backfillRelatedEntities: false,
  autoExpandLists: false,
})
sync.stripe.checkout.sessions.listLineItems = () => []

const app = express()
app.get('/', (_request, response) => response.json({ ready: true }))
app.post('*path', express.raw({ type: 'application/json', limit: '1mb' }), async (request, response) => {
  try {
    await sync.processWebhook(request.body, request.headers['stripe-signature'])
    return response.status(200).json({ received: true })
  } catch (error) {
    return response.status(500).json({ error: error.message })
  }
})
const server = app.listen(Number(PORT), '127.0.0.1')
server.keepAliveTimeout = 600_000
process.once('SIGTERM', () => process.exit(0))
// The bench is gone, however it went.
process.once('disconnect', () => process.exit(0))
