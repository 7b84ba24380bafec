import type { Bench } from '../bench.ts'
import { startGatewaySystem } from '../systems/gateway.ts'
import type { GatewaySystem } from '../systems/gateway.ts'

/** One gateway process on the database of that name, made when it is not there. */
export async function startGateway(bench: Bench, database: string): Promise<GatewaySystem> {
  return startGatewaySystem({
    name: 'gateway',
    databaseUrl: await bench.database(database),
    ports: [await bench.nextPort()],
    bookingPort: bench.load.bookingPort,
  })
}
