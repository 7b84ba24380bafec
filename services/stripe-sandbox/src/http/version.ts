import type { IncomingHttpHeaders } from 'node:http'
import { API_VERSION } from '../settings.ts'

// Stripe's command line sends no version, and what it sends for `stripe trigger` is older than the removals of the
// API since: `payment_method_types`, `coupon` of customers and of promotion codes. At this version all of it is valid.
const COMMAND_LINE_VERSION = '2025-02-24.acacia'

/** Whether the official `stripe` command calls. */
export function isCommandLine(headers: IncomingHttpHeaders): boolean {
  return headers['user-agent']?.includes('stripe-cli/') ?? false
}

/** The version a call is read at: what it names, or else the account's own. */
export function versionOf(headers: IncomingHttpHeaders): string {
  const named = headers['stripe-version']
  if (typeof named === 'string' && named !== '') return named
  return isCommandLine(headers) ? COMMAND_LINE_VERSION : API_VERSION
}

/** Whether the caller's API version is older than that day; versions begin with their date. */
export function isBefore(version: string, day: string): boolean {
  return version.slice(0, 10) < day
}
