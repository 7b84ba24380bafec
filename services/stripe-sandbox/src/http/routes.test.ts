import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Operation } from './operation.ts'
import { operation } from './operation.ts'
import { Routes } from './routes.ts'

const nothing = (): object => ({})
const list = operation('GET /v1/customers', {}, nothing)
const search = operation('GET /v1/customers/search', {}, nothing)
const one = operation('GET /v1/customers/:id', {}, nothing)
const change = operation('POST /v1/customers/:id', {}, nothing)
const source = operation('DELETE /v1/customers/:id/sources/:part', {}, nothing)
const routes = new Routes([list, one, search, change, source])

const CALLS: readonly [
  method: string,
  path: string,
  operation: Operation | undefined,
  id: string,
  part: string,
][] = [
  ['GET', '/v1/customers', list, '', ''],
  ['GET', '/v1/customers/', list, '', ''],
  ['GET', '/v1/customers/search', search, '', ''],
  ['GET', '/v1/customers/cus_1', one, 'cus_1', ''],
  ['HEAD', '/v1/customers/cus_1', one, 'cus_1', ''],
  ['POST', '/v1/customers/cus_1/', change, 'cus_1', ''],
  ['DELETE', '/v1/customers/cus_1/sources/card_1', source, 'cus_1', 'card_1'],
  ['GET', '/v1/customers/%C3%A9%2F', one, 'é/', ''],
  ['GET', '/v1/customers/%E0%A4%A', one, '%E0%A4%A', ''],
  ['GET', '/v1/customers/__proto__', one, '__proto__', ''],
  ['PUT', '/v1/customers', undefined, '', ''],
  ['DELETE', '/v1/customers/cus_1', undefined, '', ''],
  ['GET', '/v1', undefined, '', ''],
  ['GET', '/v1/customers/cus_1/sources', undefined, '', ''],
  ['GET', '/v1/customers/cus_1/sources/card_1/more', undefined, '', ''],
]

for (const [method, path, operation, id, part] of CALLS) {
  test(`${method} ${path} is ${operation ? `${operation.method} ${operation.path}` : 'nothing'}`, () => {
    assert.deepEqual(routes.find(method, path), operation && { operation, id, part })
  })
}
