import { useQuery } from '@tanstack/react-query'
import type { UseQueryResult } from '@tanstack/react-query'
import type { TourView } from '@passerelle/contracts/booking'
import { fetchTours } from './booking.client.ts'

const TOURS_FRESH_MS = 60_000

export function useTours(): UseQueryResult<readonly TourView[]> {
  return useQuery({
    queryKey: ['tours'],
    queryFn: ({ signal }) => fetchTours(signal),
    staleTime: TOURS_FRESH_MS,
  })
}
