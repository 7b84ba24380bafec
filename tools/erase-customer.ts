// `npm run erase-customer -- <customerId> --reason "…"`: asks the gateway and the booking service to forget one customer.
// Either may be asked again: what is done already stays done.
import { parseArgs } from 'node:util'
import { configOf } from '../packages/cli/src/config.ts'

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: { reason: { type: 'string' } },
})
const [customerId] = positionals
const { reason } = values
if (customerId === undefined || reason === undefined || positionals.length > 1) {
  process.stderr.write(
    'usage: npm run erase-customer -- <customerId> --reason "why, for the audit log"\n' +
      'PASSERELLE_URL, BOOKING_SERVICE_URL and INTERNAL_SERVICE_TOKEN say where and as whom.\n',
  )
  process.exit(2)
}
const { url, token } = configOf(process.env, {})
const booking =
  process.env['BOOKING_SERVICE_URL'] ?? `http://localhost:${process.env['BOOKING_PORT'] ?? '3002'}`
let failed = false
for (const [service, address] of [
  ['payment gateway', `${url}/api/v1/payment-gateway/admin/customers/erase`],
  ['booking service', `${booking}/api/v1/customers/erase`],
] as const) {
  try {
    const response = await fetch(address, {
      method: 'POST',
      redirect: 'error',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      body: JSON.stringify({ customerId, reason }),
    })
    failed ||= !response.ok
    process.stdout.write(`${service}: ${response.status} ${await response.text()}\n`)
  } catch (error) {
    failed = true
    process.stdout.write(`${service}: not reached (${error instanceof Error ? error.message : 'unknown'})\n`)
  }
}
process.exit(failed ? 1 : 0)
