// Asks the service of this image whether it lives, at the port and by the protocol that its own variables give it:
// node tools/health-check.ts <the service's default port>
import { get as getPlain } from 'node:http'
import { get as getByTls } from 'node:https'

// Below the time-out that the Dockerfile gives the check.
const ANSWER_MS_MAX = 2500

const get = process.env['TLS_CERT_FILE'] ? getByTls : getPlain
const request = get(
  {
    host: '127.0.0.1',
    port: process.env['PORT'] || process.argv[2],
    path: '/healthz',
    timeout: ANSWER_MS_MAX,
    // The certificate is that of the service's public name, and whoever listens here is the service.
    rejectUnauthorized: false,
  },
  ({ statusCode }) => process.exit(statusCode === 200 ? 0 : 1),
)
request.once('timeout', () => request.destroy(new Error('no answer')))
request.once('error', () => process.exit(1))
