import { createLog } from '@passerelle/kit/log'
import { runService } from '@passerelle/kit/service'
import { startBooking } from './app.ts'
import { bookingConfig } from './config.ts'

await runService({
  name: 'booking-management',
  start: async () => {
    const config = bookingConfig()
    return startBooking(config, createLog({ name: 'booking-management', level: config.logLevel }))
  },
})
