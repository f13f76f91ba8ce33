import { useEffect } from 'react'
import { BASE } from '@/api/http'
import { refresh } from '@/api/records'
import { queryClient } from '@/api/session'

/** One stream of "this changed": what is on the screen is asked anew, at most twice a second; the rest is only marked old. */
export function useLive(): void {
  useEffect(() => {
    if (typeof EventSource === 'undefined') return
    const source = new EventSource(`${BASE}/events`)
    const changed = new Set<string>()
    let timer: ReturnType<typeof setTimeout> | undefined
    const flush = () => { for (const e of changed) refresh(e); changed.clear(); timer = undefined }
    source.addEventListener('change', (e) => {
      try {
        const { entity } = JSON.parse((e as MessageEvent<string>).data) as { entity: string }
        changed.add(entity)
        timer ??= setTimeout(flush, 500)
      } catch { /* not ours */ }
    })
    // Where the stream broke, or this end was too slow, something was missed.
    let opened = false
    source.addEventListener('open', () => { if (opened) void queryClient.invalidateQueries(); opened = true })
    source.addEventListener('resync', () => void queryClient.invalidateQueries())
    source.addEventListener('meta.changed', () => void queryClient.invalidateQueries({ queryKey: ['meta'] }))
    const about = (name: string, then: (entity: string, id: string) => void) => source.addEventListener(name, (e) => {
      try { const { entity, id } = JSON.parse((e as MessageEvent<string>).data) as { entity: string; id: string }; then(entity, id) } catch { /* not ours */ }
    })
    about('comment', (entity, id) => void queryClient.invalidateQueries({ queryKey: ['comments', entity, id] }))
    about('presence', (entity, id) => void queryClient.invalidateQueries({ queryKey: ['presence', entity, id] }))
    source.addEventListener('notification', () => void queryClient.invalidateQueries({ queryKey: ['notifications'] }))
    return () => { source.close(); clearTimeout(timer) }
  }, [])
}
