import type { Sandbox } from '../sandbox.ts'

/** What a person who just started a sandbox in a terminal wants to know. */
export function greetingOf(sandbox: Sandbox, publicUrl: string, webhookUrl: string | undefined): string {
  const { hostname, port, protocol } = new URL(sandbox.url)
  return `
  Stripe     host ${hostname}, port ${port}, protocol ${protocol.replace(':', '')}, any key that begins with sk_test_
  Dashboard  ${publicUrl}/_sandbox
  Webhooks   ${
    webhookUrl === undefined
      ? 'nowhere yet: passerelle-sandbox listen --forward-to <URL>, or --forward-to here'
      : `${webhookUrl}, signed with ${sandbox.webhookSecret}`
  }
`
}
