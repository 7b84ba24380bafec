import assert from 'node:assert/strict'
import { test } from 'node:test'
import { FONTS } from '../checkout/branding.ts'
import { brandStyle, readableOn } from './brand-style.ts'

const branding = {
  background_color: '#ffffff',
  border_style: 'rounded',
  button_color: '#0074d4',
  display_name: 'Kayak & Co',
  font_family: 'default',
  icon: null,
  logo: null,
}

test('what is written on a colour is black or white, whichever can be read', () => {
  for (const dark of ['#000000', '#0074d4', '#b3162b', '#635bff', '#777']) {
    const wanted = dark === '#777' ? '#000000' : '#ffffff'
    assert.equal(readableOn(dark), wanted, dark)
  }
  for (const light of ['#ffffff', '#FFD591', '#0f0', '#fff', '#ff0'])
    assert.equal(readableOn(light), '#000000', light)
})

test('every font of Stripe’s has its family, and the default keeps the page’s own', () => {
  for (const font of FONTS) {
    const style = brandStyle({ ...branding, font_family: font })
    assert.equal(
      /body\{font-family:[^}]+,(?:sans-serif|serif|monospace)\}/.test(style),
      font !== 'default',
      font,
    )
  }
})

test('corners are sharp or round as asked, and otherwise as they are', () => {
  const cornersOf = (style: string) =>
    brandStyle({ ...branding, border_style: style }).match(/border-radius:[^}]+/g)
  assert.deepEqual(cornersOf('rectangular'), ['border-radius:0', 'border-radius:0'])
  assert.deepEqual(cornersOf('pill'), ['border-radius:999px', 'border-radius:24px'])
  assert.equal(cornersOf('rounded'), null)
})

test('what is left as the account has it leaves the page light or dark as the payer’s machine', () => {
  assert.equal(brandStyle(branding).trim(), '')
})
