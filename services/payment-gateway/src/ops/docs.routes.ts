import { randomBytes } from 'node:crypto'
import swagger from '@fastify/swagger'
import type { HttpServer } from '@passerelle/kit/http'
import Fastify from 'fastify'
import type { FastifyInstance } from 'fastify'
import { Type } from 'typebox'
import { completed, OPENAPI_BASE } from './openapi.ts'
import type { OpenApiDocument } from './openapi.ts'

/**
 * Serves the OpenAPI document of every route that is added after it, and a page to read it with. The page's script comes
 * from here, so it works without the Internet.
 */
export async function docsRoutes(server: HttpServer): Promise<void> {
  await server.register(swagger, {
    openapi: OPENAPI_BASE as unknown as NonNullable<swagger.FastifyDynamicSwaggerOptions['openapi']>,
    transformObject: (built) =>
      completed(
        ('openapiObject' in built ? built.openapiObject : {}) as OpenApiDocument,
      ) as unknown as ReturnType<NonNullable<swagger.FastifyDynamicSwaggerOptions['transformObject']>>,
  })
  server.get(
    '/openapi.json',
    {
      config: { quiet: true },
      schema: {
        summary: 'This document',
        tags: ['operations'],
        response: { 200: Type.Object({ openapi: Type.String() }, { additionalProperties: true }) },
      },
    },
    async () => ({ ...server.swagger(), openapi: OPENAPI_BASE.openapi }),
  )
  docsPage(server)
}

// Five megabytes of script that a gateway coming back after a crash should not read first: loaded with the first visit.
function docsPage(server: HttpServer): void {
  let page: Promise<FastifyInstance> | undefined
  const schema = { summary: 'This document as a page', tags: ['operations'] }
  const paths = [
    { url: '/docs', schema },
    { url: '/docs/', schema: { hide: true } },
    { url: '/docs/js/scalar.js', schema: { hide: true } },
  ]
  for (const { url, schema } of paths)
    server.get(url, { config: { quiet: true }, schema }, async (_request, reply) => {
      page ??= loadPage()
      const answer = await (await page).inject({ method: 'GET', url })
      const nonce = randomBytes(16).toString('base64')
      const type = answer.headers['content-type']
      if (answer.headers.location !== undefined) return reply.redirect('/docs/', answer.statusCode)
      return reply
        .code(answer.statusCode)
        .headers({
          'content-security-policy': pagePolicy(nonce),
          ...(type === undefined ? {} : { 'content-type': type }),
        })
        .send(url.endsWith('.js') ? answer.rawPayload : answer.body.replaceAll(NONCE, nonce))
    })
}

// Stands in the page where each visit's own nonce goes.
const NONCE = 'nonce-of-this-visit'

async function loadPage(): Promise<FastifyInstance> {
  const { default: reference } = await import('@scalar/fastify-api-reference')
  const page = Fastify()
  await page.register(reference, {
    routePrefix: '/docs',
    configuration: {
      url: '/openapi.json',
      pageTitle: 'Passerelle payment gateway',
      nonce: NONCE,
      withDefaultFonts: false,
      telemetry: false,
      hideClientButton: true,
      agent: { disabled: true },
      mcp: { disabled: true },
    },
  })
  return page
}

/** Only what comes from here; scripts also only with this visit's nonce. The page colours its code by style attributes. */
function pagePolicy(nonce: string): string {
  return [
    "default-src 'none'",
    `script-src 'self' 'nonce-${nonce}'`,
    "style-src 'self' 'unsafe-inline'",
    "img-src 'self' data: blob:",
    "font-src 'self' data:",
    "connect-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join('; ')
}
