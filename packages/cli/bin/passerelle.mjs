#!/usr/bin/env node
// `npx passerelle …`: hands over to the launcher, which brings the Node that package.json pins.
process.argv.splice(2, 0, 'packages/cli/src/main.ts')
await import(new URL('../../../tools/run.mjs', import.meta.url).href)
