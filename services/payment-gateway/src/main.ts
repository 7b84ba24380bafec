import { createLog } from '@passerelle/kit/log'
import { runService } from '@passerelle/kit/service'
import { startGateway } from './app.ts'
import { gatewayConfig } from './config.ts'

await runService({
  name: 'payment-gateway',
  start: async () => {
    const config = gatewayConfig()
    return startGateway(config, createLog({ name: 'payment-gateway', level: config.logLevel }))
  },
})
