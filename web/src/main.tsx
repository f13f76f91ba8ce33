import './app/tokens.css'
import { QueryClientProvider } from '@tanstack/react-query'
import { RouterProvider } from '@tanstack/react-router'
import { StrictMode } from 'react'
import { createRoot } from 'react-dom/client'
import { whenUnauthorized } from './api/http'
import { queryClient } from './api/session'
import { router } from './app/router'
import { startI18n } from './i18n'
import { followSystemTheme } from './lib/theme'

// After an upgrade an open tab asks for chunks that are gone: it loads itself anew, once.
addEventListener('vite:preloadError', (e) => {
  const last = Number(sessionStorage.getItem('reloaded') ?? 0)
  if (Date.now() - last < 10_000) return
  e.preventDefault()
  sessionStorage.setItem('reloaded', String(Date.now()))
  location.reload()
})
followSystemTheme()
whenUnauthorized(() => {
  queryClient.clear()
  void router.navigate({ to: '/login', search: { next: location.pathname + location.search } })
})

void startI18n().then(() => {
  createRoot(document.getElementById('root')!).render(
    <StrictMode>
      <QueryClientProvider client={queryClient}>
        <RouterProvider router={router} />
      </QueryClientProvider>
    </StrictMode>,
  )
})
