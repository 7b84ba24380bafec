import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import type { World } from './merchant.ts'
import { failure, sessionParams, startWorld } from './merchant.ts'

let world: World
before(async () => {
  world = await startWorld()
})
after(() => world.stop())

const open = (branding: object) =>
  world.stripe.checkout.sessions.create(sessionParams({ branding_settings: branding }))

async function page(id: string): Promise<{ html: string; policy: string }> {
  const answer = await fetch(`${world.sandbox.url}/c/pay/${id}`)
  return { html: await answer.text(), policy: answer.headers.get('content-security-policy') ?? '' }
}

const LOOK = {
  background_color: '#1a1f33',
  border_style: 'pill',
  button_color: '#ffd591',
  display_name: 'Kayak & Co',
  font_family: 'roboto_slab',
  logo: { type: 'url', url: 'https://pictures.example/kayak.png?a=1&b=2' },
} as const

describe('a Session’s branding', () => {
  test('is on the Session as it was asked for, and on its copy', async () => {
    const { id, branding_settings: shown } = await open(LOOK)
    assert.deepEqual(shown, { ...LOOK, icon: null })
    assert.deepEqual((await world.stripe.checkout.sessions.retrieve(id)).branding_settings, shown)
  })

  test('is the account’s own where nothing is asked, and absent when nothing at all is', async () => {
    const { branding_settings: shown } = await open({ button_color: '#123', font_family: '' })
    assert.deepEqual(shown, {
      background_color: '#ffffff',
      border_style: 'rounded',
      button_color: '#123',
      display_name: 'Passerelle Sandbox',
      font_family: 'default',
      icon: null,
      logo: null,
    })
    assert.equal((await open({ button_color: '' })).branding_settings, undefined)
  })

  test('dresses the hosted page, in colours that can be read', async () => {
    const { html } = await page((await open(LOOK)).id)
    assert.match(html, /body\{background:#1a1f33\}/)
    assert.match(html, /\.order,\.trials,footer\{--ink:#ffffff;/)
    assert.match(html, /\.primary\{background:#ffd591;color:#000000\}/)
    assert.match(html, /border-radius:999px/)
    assert.match(html, /body\{font-family:"Roboto Slab",serif\}/)
  })

  test('shows a logo in the name’s place and an icon beside it, and lets in no other picture', async () => {
    const logo = await page((await open(LOOK)).id)
    assert.match(
      logo.html,
      /<p class="shop">\s*<img\s+class="picture logo"\s+src="https:\/\/pictures\.example\/kayak\.png\?a=1&amp;b=2"\s+alt="Kayak &amp; Co"\s*\/>\s*<\/p>/,
    )
    assert.match(logo.policy, /img-src data: https:\/\/pictures\.example;/)
    const icon = { type: 'url', url: 'https://icons.example/k.png' }
    const beside = await page((await open({ display_name: 'Kayak', icon })).id)
    assert.match(beside.html, /src="https:\/\/icons\.example\/k\.png" alt="" \/>Kayak/)
    const plain = await world.stripe.checkout.sessions.create(sessionParams({}))
    assert.match((await page(plain.id)).policy, /img-src data:;/)
  })

  test('is refused by name where it cannot be shown', async () => {
    const picture = { type: 'url', url: 'https://pictures.example/a.png' }
    const wrong: readonly [object, string, RegExp][] = [
      [{ background_color: 'red' }, '[background_color]', /Invalid color: red/],
      [{ button_color: '#12345}' }, '[button_color]', /Invalid color/],
      [{ border_style: 'wavy' }, '[border_style]', /must be one of pill, rectangular, or rounded/],
      [{ font_family: 'comic_sans' }, '[font_family]', /Invalid font_family/],
      [{ icon: picture, logo: picture }, '[icon]', /only specify one/],
      [{ icon: { type: 'url' } }, '[icon][url]', /Missing required param/],
      [{ logo: { url: picture.url } }, '[logo][type]', /Missing required param/],
      [{ logo: { type: 'url', url: 'http://pictures.example/a.png' } }, '[logo][url]', /Not a valid URL/],
      [{ logo: { type: 'url', url: 'https://a;script-src/' } }, '[logo][url]', /Not a valid URL/],
      [{ logo: { type: 'file', file: 'file_1' } }, '[logo][file]', /does not have/],
      [{ icon: { type: 'file' } }, '[icon][type]', /does not have file/],
    ]
    for (const [branding, path, message] of wrong) {
      const { param, message: said, statusCode } = await failure(open(branding))
      assert.deepEqual([statusCode, param], [400, `branding_settings${path}`], JSON.stringify(branding))
      assert.match(said, message)
    }
  })
})
