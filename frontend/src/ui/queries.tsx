import { QueryClient, QueryClientProvider } from '@tanstack/react-query'
import type { ReactNode } from 'react'
import { isPassing } from '@passerelle/client/request'

const RETRIES_MAX = 2

const client = new QueryClient({
  defaultOptions: {
    queries: {
      retry: (failures, error) => failures < RETRIES_MAX && isPassing(error),
      staleTime: 5000,
    },
    // Without a network a call fails with a sentence at once, instead of waiting silently for the network.
    mutations: { retry: false, networkMode: 'always' },
  },
})

export function Queries({ children }: { children: ReactNode }): ReactNode {
  return <QueryClientProvider client={client}>{children}</QueryClientProvider>
}
