#!/usr/bin/env node
// `npx passerelle-sandbox …`: hands over to the launcher, which brings the Node that package.json pins.
process.argv.splice(2, 0, 'services/stripe-sandbox/src/main.ts')
await import(new URL('../../../tools/run.mjs', import.meta.url).href)
