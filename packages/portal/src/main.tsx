import '@mantine/core/styles.css'
import '@mantine/notifications/styles.css'
import './portal.css'
import { MantineProvider } from '@mantine/core'
import { Notifications } from '@mantine/notifications'
import { QueryClient, QueryClientProvider } from '@tanstack/react-query'
import { RouterProvider } from '@tanstack/react-router'
import { StrictMode } from 'react'
import { createRoot } from 'react-dom/client'
import { ApiError } from './frame/api.ts'
import { nonce } from './frame/nonce.ts'
import { createPortalRouter } from './frame/router.tsx'
import { theme, variables } from './theme.ts'

const mostRetries = 2
const client = new QueryClient({
  defaultOptions: {
    queries: {
      staleTime: 10_000,
      // What the server refused it will refuse again.
      retry: (failures, error) => failures < mostRetries && !(error instanceof ApiError && error.status >= 400 && error.status < 500),
    },
  },
})
const router = createPortalRouter(client)

createRoot(document.getElementById('root')!).render(
  <StrictMode>
    <MantineProvider theme={theme} cssVariablesResolver={variables} defaultColorScheme="auto" getStyleNonce={() => nonce}>
      <QueryClientProvider client={client}>
        <Notifications position="bottom-right" />
        <RouterProvider router={router} />
      </QueryClientProvider>
    </MantineProvider>
  </StrictMode>,
)
