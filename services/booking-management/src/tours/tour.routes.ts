import { Type } from 'typebox'
import type { Pool } from '@passerelle/kit/database'
import type { HttpServer } from '@passerelle/kit/http'
import { findSeatsLeft, getTour, listTours } from './tour.repository.ts'
import { assertBookable, tourView } from './tour.ts'

const Params = Type.Object({ tourId: Type.String() })
const AvailabilityQuery = Type.Object({ date: Type.String({ format: 'date' }) })

export function addTourRoutes(server: HttpServer, deps: { pool: Pool; now: () => Date }): void {
  server.get('/api/v1/tours', async () => ({
    success: true,
    data: (await listTours(deps.pool)).map(tourView),
  }))

  server.get('/api/v1/tours/:tourId', { schema: { params: Params } }, async (request) => ({
    success: true,
    data: tourView(await getTour(deps.pool, request.params.tourId)),
  }))

  server.get(
    '/api/v1/tours/:tourId/availability',
    { schema: { params: Params, querystring: AvailabilityQuery } },
    async (request) => {
      const { date } = request.query
      const tour = await getTour(deps.pool, request.params.tourId)
      assertBookable(tour, date, { field: 'querystring.date', now: deps.now() })
      const seatsLeft = await findSeatsLeft(deps.pool, tour, date)
      return { success: true, data: { tourId: tour.id, date, seatsLeft, seatsPerDay: tour.seatsPerDay } }
    },
  )
}
