import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { describe, it } from 'node:test'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { ConfigError, readConfig } from './config.ts'
import { tracingConfig } from './tracing.ts'

const ENDPOINT = { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://collector:4318' }

/** What a process that starts its tracing with this has loaded of OpenTelemetry's SDK. */
async function loadedBy(config: string): Promise<string[]> {
  const tracing = fileURLToPath(new URL('tracing.ts', import.meta.url))
  const gateway = fileURLToPath(import.meta.resolve('../../../services/payment-gateway/src/app.ts'))
  const script = `
    import { registerHooks } from 'node:module'
    const seen = []
    registerHooks({ resolve: (name, context, next) => { const it = next(name, context); seen.push(it.url); return it } })
    await import(${JSON.stringify(gateway)})
    const { startTracing } = await import(${JSON.stringify(tracing)})
    await (await startTracing(${config}, 'test', { warn() {} })).stop()
    console.log(JSON.stringify(seen.filter((url) => /@opentelemetry\\/(?!api\\/)/.test(url))))`
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', script])
  return JSON.parse(stdout) as string[]
}

describe('tracing', () => {
  it('is off without a collector, and nothing of the SDK is loaded then', async () => {
    assert.equal(readConfig(tracingConfig, {}), null)
    assert.equal(readConfig(tracingConfig, { ...ENDPOINT, OTEL_SDK_DISABLED: 'true' }), null)
    assert.equal(readConfig(tracingConfig, { ...ENDPOINT, OTEL_TRACES_EXPORTER: 'none' }), null)
    assert.deepEqual(await loadedBy('null'), [])
    const on = await loadedBy("{ sampler: 'always_on', ratio: 1 }")
    assert.ok(on.length > 0, 'the look for loaded modules sees them')
  })

  it('names the variable that is wrong, and keeps the service from starting', () => {
    const wrong: Record<string, string>[] = [
      { OTEL_EXPORTER_OTLP_ENDPOINT: 'collector:4318' },
      { ...ENDPOINT, OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc' },
      { ...ENDPOINT, OTEL_TRACES_SAMPLER: 'sometimes' },
      { ...ENDPOINT, OTEL_TRACES_SAMPLER: 'traceidratio', OTEL_TRACES_SAMPLER_ARG: '10%' },
    ]
    for (const env of wrong)
      assert.throws(
        () => readConfig(tracingConfig, env),
        (error) => error instanceof ConfigError && error.message.startsWith(Object.keys(env).at(-1) ?? '?'),
        JSON.stringify(env),
      )
    assert.deepEqual(readConfig(tracingConfig, ENDPOINT), { sampler: 'parentbased_always_on', ratio: 1 })
  })
})
