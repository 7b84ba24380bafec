import { BlockList, isIP } from 'node:net'
import { StartError } from '@passerelle/kit/service'

// docs.stripe.com/ips, the 15 addresses published for webhooks.
const STRIPE_WEBHOOK_ADDRESSES = [
  '3.18.12.63',
  '3.69.109.8',
  '3.120.168.93',
  '3.130.192.231',
  '13.235.14.237',
  '13.235.122.149',
  '18.211.135.69',
  '35.154.171.200',
  '35.157.207.129',
  '52.15.183.38',
  '54.88.130.119',
  '54.88.130.237',
  '54.187.174.169',
  '54.187.205.235',
  '54.187.216.72',
]

/** The addresses that may deliver events: Stripe's own with `on`, the given ones, or null when the list is off. */
export function webhookAllowlist(setting: 'off' | 'on' | readonly string[]): BlockList | null {
  if (setting === 'off') return null
  const list = new BlockList()
  for (const entry of setting === 'on' ? STRIPE_WEBHOOK_ADDRESSES : setting) addEntry(list, entry)
  return list
}

function addEntry(list: BlockList, entry: string): void {
  const [address = '', bits] = entry.split('/')
  const family = isIP(address)
  const prefix = bits === undefined ? undefined : Number(bits)
  const bitsMax = family === 6 ? 128 : 32
  if (
    family === 0 ||
    (prefix !== undefined && !(Number.isInteger(prefix) && prefix >= 0 && prefix <= bitsMax))
  )
    throw new StartError(`STRIPE_IP_ALLOWLIST: "${entry}" is neither an address nor a CIDR.`)
  const type = family === 6 ? 'ipv6' : 'ipv4'
  if (prefix === undefined) list.addAddress(address, type)
  else list.addSubnet(address, prefix, type)
}
