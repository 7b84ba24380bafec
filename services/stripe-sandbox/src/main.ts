import { createLog } from '@passerelle/kit/log'
import { runService } from '@passerelle/kit/service'
import { readSandboxConfig } from './config.ts'
import { startSandbox } from './sandbox.ts'
import { wireLog } from './sent.ts'

await runService({
  name: 'stripe-sandbox',
  start: async () => {
    const config = readSandboxConfig()
    const log = createLog({ name: 'stripe-sandbox', level: config.logLevel })
    return startSandbox({
      port: config.port,
      host: config.host,
      log,
      ...(config.publicUrl === undefined ? {} : { publicUrl: config.publicUrl }),
      ...(config.dataDir === undefined ? {} : { dataDir: config.dataDir }),
      ...(config.webhookUrl === undefined ? {} : { webhookUrl: config.webhookUrl }),
      ...(config.webhookSecret === undefined ? {} : { webhookSecret: config.webhookSecret }),
      ...(config.wireLog === undefined ? {} : { onSent: wireLog(config.wireLog) }),
    })
  },
})
