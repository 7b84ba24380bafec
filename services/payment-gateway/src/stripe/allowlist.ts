import { readFile } from 'node:fs/promises'
import { BlockList, isIPv6 } from 'node:net'
import { isAddress } from '@passerelle/kit/config'
import type { Log } from '@passerelle/kit/log'

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

/** Who may deliver events. */
export type Allowlist = {
  readonly allows: (address: string) => boolean
  /** Reads the source again; a list that cannot be read or used changes nothing. */
  readonly refresh: () => Promise<void>
  readonly stop: () => void
}

export type AllowlistOptions = {
  readonly setting: 'off' | 'on' | readonly string[]
  /** A file or an https URL: addresses and CIDRs as lines, or JSON as Stripe publishes it. */
  readonly source: string | null
  readonly log: Log
}

const REFRESH_INTERVAL_MS = 60 * 60_000
const READ_TIMEOUT_MS = 5000
const SOURCE_CHARACTERS_MAX = 64 * 1024
const ENTRIES_MAX = 1000

/**
 * Stripe's own addresses with `on`, or the given ones; null when the list is off. With a source they are replaced by
 * what it holds, now and every hour. While the source cannot be had the last good list stays: it is never open.
 */
export function createAllowlist({ setting, source, log }: AllowlistOptions): Allowlist | null {
  if (setting === 'off') return null
  let list = blockListOf(setting === 'on' ? STRIPE_WEBHOOK_ADDRESSES : setting)
  const refresh = async (): Promise<void> => {
    if (source === null) return
    try {
      const entries = entriesOf(await readSource(source))
      list = blockListOf(entries)
      log.info({ entries: entries.length }, 'allowlist.refreshed')
    } catch (error) {
      log.error({ err: error }, 'allowlist.not_refreshed')
    }
  }
  const timer = source === null ? undefined : setInterval(() => void refresh(), REFRESH_INTERVAL_MS)
  timer?.unref()
  return {
    allows: (address) => list.check(address, isIPv6(address) ? 'ipv6' : 'ipv4'),
    refresh,
    stop: () => clearInterval(timer),
  }
}

function blockListOf(entries: readonly string[]): BlockList {
  const list = new BlockList()
  for (const entry of entries) {
    const [address = '', bits] = entry.split('/')
    const type = isIPv6(address) ? 'ipv6' : 'ipv4'
    if (bits === undefined) list.addAddress(address, type)
    else list.addSubnet(address, Number(bits), type)
  }
  return list
}

async function readSource(source: string): Promise<string> {
  const text = source.startsWith('https://') ? await download(source) : await readFile(source, 'utf8')
  if (text.length > SOURCE_CHARACTERS_MAX)
    throw new Error(`the list is longer than ${SOURCE_CHARACTERS_MAX} characters`)
  return text
}

async function download(url: string): Promise<string> {
  const response = await fetch(url, { redirect: 'error', signal: AbortSignal.timeout(READ_TIMEOUT_MS) })
  if (!response.ok) throw new Error(`the list was answered with ${response.status}`)
  return response.text()
}

/** The addresses in Stripe's JSON (`{"WEBHOOKS": […]}`), a JSON array, or lines with `#` comments; throws unless all are. */
export function entriesOf(text: string): readonly string[] {
  const entries = /^\s*[[{]/.test(text) ? jsonEntries(text) : lineEntries(text)
  if (entries.length === 0 || entries.length > ENTRIES_MAX)
    throw new Error(`the list has ${entries.length} entries, not 1 to ${ENTRIES_MAX}`)
  // An entry that covers everybody would switch the list off without anybody having said so.
  const wrong = entries.findIndex((entry) => !isAddress(entry) || /\/0?[0-7]$/.test(entry))
  if (wrong >= 0)
    throw new Error(`entry ${wrong + 1} of the list is neither an address nor a network of /8 or less`)
  return entries
}

function jsonEntries(text: string): string[] {
  const value: unknown = JSON.parse(text)
  const list: unknown = Array.isArray(value) ? value : Object(value).WEBHOOKS
  return Array.isArray(list) ? list.map(String) : []
}

function lineEntries(text: string): string[] {
  return text
    .split('\n')
    .map((line) => (line.split('#', 1)[0] ?? '').trim())
    .filter((line) => line !== '')
}
