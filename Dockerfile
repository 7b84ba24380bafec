# One image per service: docker build --target gateway -t passerelle-gateway .
# Reproducible: exact versions from package-lock.json, no install script, no clock in a layer that matters. Pin the base
# by digest in your pipeline: --build-arg NODE_IMAGE=node:24.21.0-bookworm-slim@sha256:…
ARG NODE_IMAGE=node:24.21.0-bookworm-slim

# What runs: production dependencies only. Optional ones are the embedded PostgreSQL and Node of a laptop.
FROM ${NODE_IMAGE} AS dependencies
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
COPY packages ./packages
COPY services ./services
COPY frontend/package.json ./frontend/package.json
RUN npm ci --omit=dev --omit=optional --ignore-scripts

# The shop's pages, built once.
FROM ${NODE_IMAGE} AS site
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
COPY packages ./packages
COPY services ./services
COPY frontend ./frontend
RUN npm ci --omit=optional --ignore-scripts \
  && node --input-type=module -e "await (await import('./frontend/server/build-site.ts')).builtSite(console.log)"

FROM ${NODE_IMAGE} AS base
ENV NODE_ENV=production HOST=0.0.0.0
WORKDIR /app
COPY --from=dependencies /app/node_modules ./node_modules
COPY package.json package-lock.json ./
COPY packages/contracts ./packages/contracts
COPY packages/kit ./packages/kit
COPY tools/health-check.ts ./tools/health-check.ts
# Nothing here belongs to the one who runs it, and nothing is written.
USER node

FROM base AS gateway
COPY services/payment-gateway ./services/payment-gateway
EXPOSE 3001
HEALTHCHECK --interval=10s --timeout=3s CMD ["node", "tools/health-check.ts", "3001"]
# The young generation bounded: half the memory under load for no time that could be measured (docs/performance.md).
CMD ["node", "--max-semi-space-size=16", "services/payment-gateway/src/main.ts"]

FROM base AS booking
COPY services/booking-management ./services/booking-management
EXPOSE 3002
HEALTHCHECK --interval=10s --timeout=3s CMD ["node", "tools/health-check.ts", "3002"]
CMD ["node", "services/booking-management/src/main.ts"]

FROM base AS frontend
# Its server asks the gateway by the client, and knows the built site by the sources of both.
COPY packages/client ./packages/client
COPY packages/react ./packages/react
COPY frontend ./frontend
COPY --from=site /app/frontend/dist ./frontend/dist
EXPOSE 5173
HEALTHCHECK --interval=10s --timeout=3s CMD ["node", "-e", "fetch('http://127.0.0.1:' + (process.env.PORT || 5173) + '/healthz').then((answer) => process.exit(answer.ok ? 0 : 1), () => process.exit(1))"]
CMD ["node", "frontend/server/main.ts"]
