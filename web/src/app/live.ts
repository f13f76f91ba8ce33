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
    source.addEventListener('meta.changed', () => void queryClient.invalidateQueries({ queryKey: ['meta'] }))
    source.addEventListener('notification', () => void queryClient.invalidateQueries({ queryKey: ['notifications'] }))
    return () => { source.close(); clearTimeout(timer) }
  }, [])
}
