import { createLog } from '@passerelle/kit/log'
import { runService } from '@passerelle/kit/service'
import { startTracing } from '@passerelle/kit/tracing'
import type { AddressInfo } from 'node:net'
import { createApp } from './app.ts'
import { builtSite } from './build-site.ts'
import { frontendConfig } from './config.ts'

await runService({
  name: 'frontend',
  start: async () => {
    const config = frontendConfig()
    const log = createLog({ name: 'frontend', level: config.logLevel })
    const site = await builtSite((sentence) => log.info({ progress: sentence }, 'site.building'))
    const tracing = await startTracing(config.tracing, 'frontend', log)
    const server = await createApp(config, { site, log, tracing })
    await server.listen({ port: config.port, host: config.host })
    const { port } = server.server.address() as AddressInfo
    log.info(
      { url: `http://${config.host.includes(':') ? `[${config.host}]` : config.host}:${port}` },
      'frontend.started',
    )
    return {
      stop: async () => {
        await server.close()
        await tracing.stop()
        log.info('frontend.stopped')
      },
    }
  },
})
