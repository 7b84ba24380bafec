import type { FastifyRequest, preValidationAsyncHookHandler } from 'fastify'
import { Type } from 'typebox'
import { ApiError } from '@passerelle/kit/errors'
import type { HttpServer } from '@passerelle/kit/http'
import { demoCookie, readDemoCookie } from './demo-customer.ts'
import { signInDemo } from './sign-in-demo.ts'
import type { SignInDemoDeps } from './sign-in-demo.ts'

export const DemoSignInBody = Type.Object({
  // No control characters: PostgreSQL refuses the first of them.
  name: Type.Optional(Type.String({ minLength: 1, maxLength: 100, pattern: '^[^\\u0000-\\u001f\\u007f]*$' })),
  role: Type.Optional(Type.Union([Type.Literal('customer'), Type.Literal('operator')])),
})

/** The demonstration's sign-in. Added only with AUTH_DEMO=on; without it these addresses do not exist. */
export function addDemoRoutes(
  server: HttpServer,
  deps: SignInDemoDeps & { readonly frontendOrigin: string },
): void {
  const secure = deps.frontendOrigin.startsWith('https:')

  server.post(
    '/api/v1/auth/demo',
    { preValidation: emptyBodyIsFine, schema: { body: DemoSignInBody } },
    async (request, reply) => {
      // SameSite takes every port of localhost for the same site, so the cookie is for pages of the shop only.
      const isTrusted = isFromShop(request, deps.frontendOrigin)
      const { cookie, token, customerId } = await signInDemo(deps, {
        cookie: isTrusted ? readDemoCookie(request.headers.cookie) : null,
        name: request.body.name ?? null,
        role: request.body.role ?? null,
      })
      if (isTrusted) void reply.header('set-cookie', demoCookie(cookie, { secure }))
      return { success: true, data: { token, customerId } }
    },
  )

  server.delete('/api/v1/auth/demo', async (request, reply) => {
    if (!isFromShop(request, deps.frontendOrigin))
      throw new ApiError('FORBIDDEN', 'Only the pages of FRONTEND_URL may sign their user out.')
    void reply.header('set-cookie', demoCookie(null, { secure }))
    return { success: true, data: {} }
  })

  const { own } = deps.keys
  if (own)
    server.get('/.well-known/jwks.json', async (_request, reply) => {
      void reply.header('cache-control', 'public, max-age=300')
      return own.jwks
    })
}

/** A browser names the page's origin on every POST and DELETE; a program that names none has only its own cookies. */
function isFromShop(request: FastifyRequest, frontendOrigin: string): boolean {
  return request.headers.origin === undefined || request.headers.origin === frontendOrigin
}

const emptyBodyIsFine: preValidationAsyncHookHandler = async (request) => {
  request.body ??= {}
}
