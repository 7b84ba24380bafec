import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import type { AddressInfo } from 'node:net'
import type { FastifyInstance } from 'fastify'
import { createLog } from '@passerelle/kit/log'
import { createApp } from '../server/app.ts'
import { builtSite } from '../server/build-site.ts'
import { frontendConfig } from '../server/config.ts'

let server: FastifyInstance
let url = ''

before(async () => {
  const config = frontendConfig({
    GATEWAY_URL: 'https://pay.example/"><script>/',
    BOOKING_URL: 'http://localhost:3002/',
  })
  const log = createLog({ name: 'frontend', level: 'silent' })
  server = await createApp(config, { site: await builtSite(() => undefined), log })
  await server.listen({ port: 0, host: '127.0.0.1' })
  url = `http://127.0.0.1:${(server.server.address() as AddressInfo).port}`
})
after(() => server.close())

const asPage = { headers: { accept: 'text/html' } }

test('every page of the lesson is served, never from a cache, with nothing inline allowed', async () => {
  for (const path of [
    '/',
    '/tours/x',
    '/bookings',
    '/bookings/x',
    '/bookings/x/payment',
    '/payment-success?session_id=x',
    '/payment-cancel',
  ]) {
    const response = await fetch(url + path, asPage)
    assert.equal(response.status, 200, path)
    assert.equal(response.headers.get('cache-control'), 'no-store')
    assert.match(response.headers.get('content-type') ?? '', /text\/html/)
    const policy = response.headers.get('content-security-policy') ?? ''
    assert.match(policy, /default-src 'none'; script-src 'self'; style-src 'self'/)
    assert.match(policy, /connect-src 'self' https:\/\/pay\.example http:\/\/localhost:3002/)
    assert.match(policy, /frame-ancestors 'none'/)
    assert.doesNotMatch(policy, /unsafe/)
    assert.equal(response.headers.get('referrer-policy'), 'no-referrer')
    assert.equal(response.headers.get('x-content-type-options'), 'nosniff')
    const html = await response.text()
    assert.doesNotMatch(html, /<script>|<script(?![^>]* src=)|<style| style=| on\w+=/)
  }
})

test('the services’ addresses reach the page as data, whatever is written in them', async () => {
  const html = await (await fetch(url, asPage)).text()
  assert.match(html, /name="passerelle-gateway-url" content="https:\/\/pay\.example\/&quot;>&lt;script>"/)
  assert.match(html, /name="passerelle-booking-url" content="http:\/\/localhost:3002"/)
})

test('assets keep their name for their content, are cached for good and come compressed', async () => {
  const html = await (await fetch(`${url}/payment-success`, asPage)).text()
  const assets = [...html.matchAll(/(?:src|href)="(\/assets\/[^"]+)"/g)].map(([, path]) => path ?? '')
  assert.ok(assets.length >= 3)
  for (const path of assets) {
    const response = await fetch(url + path, { headers: { 'accept-encoding': 'gzip' } })
    assert.equal(response.status, 200, path)
    assert.equal(response.headers.get('cache-control'), 'public, max-age=31536000, immutable')
    assert.equal(response.headers.get('content-encoding'), 'gzip')
    assert.match(response.headers.get('content-type') ?? '', /javascript|css/)
  }
})

test('the payer’s pages weigh less than 32 KB of JavaScript', async () => {
  const html = await (await fetch(`${url}/payment-success`, asPage)).text()
  const scripts = [...html.matchAll(/(?:src|href)="(\/assets\/[^"]+\.js)"/g)].map(([, path]) => path ?? '')
  const sizes = await Promise.all(
    scripts.map(async (path) => {
      const response = await fetch(url + path, { method: 'HEAD', headers: { 'accept-encoding': 'gzip' } })
      return Number(response.headers.get('content-length'))
    }),
  )
  const total = sizes.reduce((sum, size) => sum + size, 0)
  assert.ok(total > 0 && total < 32_000, `${total} bytes`)
})

test('the shop and the payer’s pages share their styles', async () => {
  const stylesOf = async (path: string): Promise<string | undefined> =>
    /href="(\/assets\/[^"]+\.css)"/.exec(await (await fetch(url + path, asPage)).text())?.[1]
  const styles = await stylesOf('/')
  assert.ok(styles !== undefined)
  assert.equal(await stylesOf('/payment-success'), styles)
})

test('what is not there is a 404: a page for people, a word for programs', async () => {
  const page = await fetch(`${url}/nowhere`, asPage)
  assert.equal(page.status, 404)
  assert.match(page.headers.get('content-type') ?? '', /text\/html/)
  for (const path of [
    '/assets/none.js',
    '/index.html',
    '/payment.html',
    '/../server/main.ts',
    '/assets/%2e%2e/payment.html',
  ]) {
    const response = await fetch(url + path)
    assert.equal(response.status, 404, path)
  }
  assert.equal((await fetch(url, { method: 'POST' })).status, 404)
})

test('health is answered', async () => {
  const response = await fetch(`${url}/healthz`)
  assert.deepEqual([response.status, await response.json()], [200, { success: true, data: { status: 'ok' } }])
})

test('every wrong variable is named', () => {
  assert.throws(
    () => frontendConfig({ GATEWAY_URL: 'localhost:3001', PORT: 'x', SUPPORT_EMAIL: 'a@b?cc=c@d' }),
    ({ message }: Error) => ['GATEWAY_URL', 'PORT', 'SUPPORT_EMAIL'].every((name) => message.includes(name)),
  )
})
