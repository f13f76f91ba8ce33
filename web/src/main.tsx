import './app/tokens.css'
import { QueryClientProvider } from '@tanstack/react-query'
import { RouterProvider } from '@tanstack/react-router'
import { Direction } from 'radix-ui'
import { type ReactNode, StrictMode, useSyncExternalStore } from 'react'
import { createRoot } from 'react-dom/client'
import { beginSession, whenUnauthorized } from './api/http'
import { queryClient } from './api/session'
import { router } from './app/router'
import { startI18n } from './i18n'
import { followSystemTheme } from './lib/theme'

// After an upgrade an open tab asks for chunks that are gone: it loads itself anew, once, with what was being typed. Where the server is not there either, that would help nobody.
addEventListener('vite:preloadError', () => {
  const last = Number(sessionStorage.getItem('reloaded') ?? 0)
  if (Date.now() - last < 10_000) return
  dispatchEvent(new Event('fondaco:keep'))
  void fetch('/', { method: 'HEAD', cache: 'no-store' }).then(() => {
    sessionStorage.setItem('reloaded', String(Date.now()))
    location.reload()
  }, () => {})
})
followSystemTheme()
whenUnauthorized(() => {
  beginSession()
  queryClient.clear()
  void router.navigate({ to: '/login', search: { next: location.pathname + location.search } })
})

const onDirection = (f: () => void) => {
  const seen = new MutationObserver(f)
  seen.observe(document.documentElement, { attributeFilter: ['dir'] })
  return () => seen.disconnect()
}
/** Tabs and menus go the way the document reads; told nothing, they go from left to right. */
function Directed({ children }: { children: ReactNode }) {
  const dir = useSyncExternalStore(onDirection, () => (document.documentElement.dir === 'rtl' ? 'rtl' : 'ltr'))
  return <Direction.Provider dir={dir}>{children}</Direction.Provider>
}

void startI18n().then(() => {
  createRoot(document.getElementById('root')!).render(
    <StrictMode>
      <QueryClientProvider client={queryClient}>
        <Directed><RouterProvider router={router} /></Directed>
      </QueryClientProvider>
    </StrictMode>,
  )
})
