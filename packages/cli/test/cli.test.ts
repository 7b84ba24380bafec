// The command line against a real gateway: what a person types, what is printed, and the exit code.
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { after, before, describe, it } from 'node:test'
import { fileURLToPath } from 'node:url'
import {
  call,
  deliver,
  eventJson,
  eventually,
  payAtSandbox,
  SERVICE_TOKEN,
  startPlatform,
  tokenOf,
} from '../../../services/payment-gateway/test/platform.ts'
import type { Platform } from '../../../services/payment-gateway/test/platform.ts'
import { configOf } from '../src/config.ts'
import { run } from '../src/run.ts'

let platform: Platform
before(async () => {
  platform = await startPlatform()
})
after(() => platform.stop())

type Said = { readonly code: number; readonly out: string; readonly err: string }

async function type(line: string, token = SERVICE_TOKEN, paint = false): Promise<Said> {
  const out: string[] = []
  const err: string[] = []
  const words = [...line.matchAll(/"([^"]*)"|(\S+)/g)].map(([, quoted, bare]) => quoted ?? bare ?? '')
  const code = await run(words, {
    config: (options) =>
      configOf(
        { PASSERELLE_URL: platform.gateway.url, PASSERELLE_TOKEN: token, DATA_DIR: '/nowhere' },
        options,
      ),
    print: (text) => out.push(text),
    complain: (text) => err.push(text),
    paint,
  })
  return { code, out: out.join('\n'), err: err.join('\n') }
}

async function paid(card?: string): Promise<{ bookingId: string; sessionId: string; paymentId: string }> {
  const { id: bookingId } = platform.addBooking()
  const { body } = await call(platform, 'POST', '/sessions', { body: { bookingId } })
  const { sessionId = '', paymentId = '' } = body.data
  await payAtSandbox(platform, sessionId, card)
  await eventually('the confirmation', async () => {
    const { out } = await type(`deliveries --booking ${bookingId} --status delivered --json`)
    return (JSON.parse(out) as unknown[]).length > 0
  })
  return { bookingId, sessionId, paymentId }
}

describe('passerelle', () => {
  it('payments: lists, and shows the whole story of one by any id that leads to it', async () => {
    const { bookingId, sessionId, paymentId } = await paid()
    const listed = await type(`payments --status succeeded --booking ${bookingId}`)
    assert.equal(listed.code, 0)
    assert.match(listed.out, new RegExp(`${paymentId} +${bookingId} +succeeded +129.00 eur +confirmed`))
    for (const id of [paymentId, bookingId, sessionId]) {
      const { code, out } = await type(`payments show ${id}`)
      assert.equal(code, 0)
      assert.match(out, /captured +129\.00 eur/)
      assert.match(out, /checkout\.session\.completed received .* after Stripe made it: processed/)
      assert.match(out, /pending → succeeded/)
      assert.match(out, /told "confirmed", try 1: delivered/)
    }
    const unknown = await type('payments show bkg_nobody')
    assert.deepEqual([unknown.code, unknown.err], [1, 'No payment has to do with bkg_nobody.'])
  })

  it('events and replay: finds an event, shows its payload, applies it again, and counts before it acts', async () => {
    const { bookingId } = await paid()
    const { out } = await type(`events --booking ${bookingId} --type payment_intent.succeeded --json`)
    const [{ eventId = '' } = {}] = JSON.parse(out) as { eventId?: string }[]
    assert.match((await type(`events show ${eventId}`)).out, /"object": "payment_intent"/)
    assert.match((await type(`replay ${eventId} --reason "tried by hand"`)).out, /is applied again/)

    await deliver(platform, eventJson('invoice.paid', { id: 'in_1', object: 'invoice' }))
    const dry = await type('replay --type invoice.paid --since 1h --dry-run')
    assert.match(dry.out, /1 would be applied again\. Nothing was changed\./)
    assert.match((await type('replay --type invoice.paid --since 1h')).out, /1 will be applied again\./)
    assert.match((await type('audit --limit 5')).out, /service +event\S*replay\S* /)
    assert.match((await type('audit verify')).out, /entries, as written/)
  })

  it('deliveries and redeliver: shows every try, and sends again what was given up', async () => {
    platform.booking.misbehave(400)
    const { id: bookingId } = platform.addBooking()
    const { body } = await call(platform, 'POST', '/sessions', { body: { bookingId } })
    await payAtSandbox(platform, body.data['sessionId'] ?? '')
    const id = await eventually('the dead letter', async () => {
      const { out } = await type(`deliveries --booking ${bookingId} --status dead --json`)
      return (JSON.parse(out) as { id: string }[])[0]?.id ?? null
    })
    const sick = await type('doctor')
    assert.equal(sick.code, 1)
    assert.match(sick.out, /NOT +1 deliveries are given up\n +passerelle deliveries --status dead says why/)
    assert.match((await type(`deliveries show ${id}`)).out, /1 +\S+ \S+ +refused +400/)

    platform.booking.misbehave(null)
    assert.match((await type(`redeliver ${id}`)).out, /is sent again: pending/)
    await eventually('the booking to hear', () => platform.booking.toldOf(bookingId).length === 1)
  })

  it('incidents: lists and resolves, with a reason or not at all', async () => {
    const { bookingId } = await paid('4000000000005423')
    const incident = await eventually('the warning', async () => {
      const { out } = await type(`incidents --status open --booking ${bookingId} --json`)
      return (JSON.parse(out) as { id: string }[])[0] ?? null
    })
    assert.equal((await type(`incidents resolve ${incident.id}`)).code, 2)
    const resolved = await type(`incidents resolve ${incident.id} --reason "called the payer"`)
    assert.equal(resolved.code, 0, resolved.err)
    assert.match((await type('incidents --status resolved')).out, /called the payer/)
  })

  it('reconcile: runs now, and reports; doctor is content afterwards', async () => {
    const ran = await type('reconcile')
    assert.equal(ran.code, 0, ran.err)
    assert.match(ran.out, /sweep +\d+ +\d+ +no/)
    assert.match((await type('reconcile report')).out, /reconcile +\d{4}-\d\d-\d\d/)
    const well = await type('doctor')
    assert.equal(well.code, 0, well.out)
  })

  it('obeys nobody else: what a terminal would act on is written out, in every list, detail, payload and refusal', async () => {
    // Clears the screen, sets the title, hides what follows, forges a line, turns the order around; 8-bit sequences too.
    const evil = 'a\u001B[2J\u001B]0;owned\u0007\u001B[8m\u009B31m\u007F\r\nforged\u202Etxt'
    const { id: bookingId } = platform.addBooking()
    const intent = { id: 'pi_evil', object: 'payment_intent', description: evil, metadata: { note: evil } }
    await deliver(platform, eventJson(`charge.${evil}`, intent, { id: 'evt_evil' }))
    await deliver(platform, eventJson('invoice.paid', { ...intent, id: 'in_evil' }, { id: 'evt_evil2' }))
    await platform.pool.query(
      `insert into incidents (kind, subject, detail) values ('amount_mismatch', $2, $1)`,
      [JSON.stringify({ note: evil }), bookingId],
    )
    const lines = [
      'events',
      'events --json',
      'events show evt_evil',
      'events show evt_evil2',
      'events show evt_evil2 --json',
      'incidents',
      `events show ${evil.replace(/\s/g, '')}`,
      `events --colour${evil.replace(/\s/g, '')}`,
      `help ${evil.replace(/\s/g, '')}`,
    ]
    // oxlint-disable-next-line no-control-regex -- the colours of the table itself
    const own = /\u001B\[(?:0|2|31|32|33)m/g
    let seen = 0
    for (const line of lines)
      for (const paint of [false, true]) {
        const said = await type(line, SERVICE_TOKEN, paint)
        const text = said.out + said.err
        assert.doesNotMatch(text.replace(paint ? own : /$^/, ''), /[[\p{Cc}\u202A-\u202E]--[\n]]/v, line)
        assert.doesNotMatch(text, /^forged/m, line)
        if (/\\u001b\[2J/i.test(text)) seen += 1
      }
    assert.ok(seen >= 10, `only ${seen} answers carried the text: the test has lost its teeth`)
  })

  it('does what the documents tell a person to type', async () => {
    const files = ['README.md', 'docs/operations.md', 'packages/cli/README.md']
    const text = files.map((file) => readFileSync(new URL(`../../../${file}`, import.meta.url), 'utf8'))
    const written = [...text.join('\n').matchAll(/(?:npx passerelle|npm run passerelle --) ([^`#\n]+)/g)]
    const lines = written.map(([, line = '']) => line.trim()).filter((line) => !/[<…]/.test(line))
    assert.ok(lines.length >= 10, `only ${lines.length} commands found`)
    for (const line of lines) {
      const { code, err } = await type(line)
      // The doctor may find something; it must not fail to look.
      assert.ok(code === 0 || (line === 'doctor' && code === 1), `passerelle ${line}: ${err}`)
      assert.equal(err, '', line)
    }
  })

  it('says what is wrong and how to mend it: usage with 2, refusals with 1', async () => {
    const cases: [string, number, RegExp][] = [
      ['', 0, /^$/],
      ['evnts', 2, /There is no command "evnts"\. See: passerelle help/],
      ['toString', 2, /There is no command "toString"\./],
      ['help constructor', 2, /There is no command "constructor"\./],
      ['events --colour red', 2, /--colour/],
      ['events --since 1h', 2, /"events" takes no --since/],
      ['replay', 2, /Name one by its id, or several by --status/],
      ['replay --since yesterday', 2, /--since must be a time like/],
      ['payments --limit 0', 2, /--limit must be a whole number/],
      ['payments show', 2, /Name the payment/],
      ['events show evt_nobody', 1, /There is no such event/],
      ['events --status wrong', 1, /VALIDATION_ERROR, request /],
      ['doctor --url ftp://x', 2, /is no address/],
      ['doctor --url http://127.0.0.1:1', 1, /Nothing answers at http:\/\/127\.0\.0\.1:1/],
    ]
    for (const [line, code, err] of cases) {
      const said = await type(line)
      assert.equal(said.code, code, line)
      assert.match(said.err, err, line)
    }
    const stranger = await type('events', await tokenOf('cus_ana'))
    assert.deepEqual(
      [stranger.code, /Only operators may do this\. Set PASSERELLE_TOKEN/.test(stranger.err)],
      [1, true],
    )
  })

  it('is a command: npx passerelle runs on whatever Node the machine has', () => {
    const bin = fileURLToPath(new URL('../bin/passerelle.mjs', import.meta.url))
    const { status, stdout } = spawnSync(process.execPath, [bin, 'help', 'replay'], { encoding: 'utf8' })
    assert.equal(status, 0)
    assert.match(stdout, /passerelle replay <evt_…>/)
  })
})
