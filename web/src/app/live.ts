import { useEffect, useSyncExternalStore } from 'react'
import { BASE } from '@/api/http'
import { refresh } from '@/api/records'
import { queryClient } from '@/api/session'

// Whether the server is there, as far as this tab knows, and since when it is not.
let lost: number | null = null
const ears = new Set<() => void>()
const become = (since: number | null): void => { if (since === lost) return; lost = since; for (const f of ears) f() }
export const useLost = (): number | null => useSyncExternalStore((f) => { ears.add(f); return () => ears.delete(f) }, () => lost)

let again: () => void = () => {}
/** Tries at once what would be tried in a while. */
export const tryNow = (): void => again()

/** A break shorter than this is nobody's business. */
const PATIENCE = 2_500
const LONGEST = 30_000
const TALK = 'talk/'

/** One stream of "this changed": what is on the screen is asked anew, at most twice a second; the rest is only marked old. A broken stream is opened again, each time after twice as long. */
export function useLive(onBack: () => void): void {
  useEffect(() => {
    if (typeof EventSource === 'undefined') return
    const changed = new Set<string>()
    let source: EventSource | undefined
    let timer: ReturnType<typeof setTimeout> | undefined
    let retry: ReturnType<typeof setTimeout> | undefined
    let notice: ReturnType<typeof setTimeout> | undefined
    let fails = 0
    let broken = false
    const flush = () => {
      for (const e of changed)
        if (e === 'app.jobs') void queryClient.invalidateQueries({ queryKey: ['jobs'], exact: true })
        else if (e.startsWith(TALK)) for (const key of [['conversations'], ['conversation', e.slice(TALK.length)]]) void queryClient.invalidateQueries({ queryKey: key })
        else refresh(e)
      changed.clear(); timer = undefined
    }
    const missed = () => void queryClient.invalidateQueries()
    const gone = () => {
      source?.close()
      broken = true
      const since = Date.now()
      if (lost === null) notice ??= setTimeout(() => become(since), navigator.onLine ? PATIENCE : 0)
      clearTimeout(retry)
      // Not all at the same moment, when a server comes back to a whole company.
      retry = setTimeout(connect, Math.min(LONGEST, 500 * 2 ** fails++) * (0.7 + Math.random() * 0.6))
    }
    const connect = () => {
      clearTimeout(retry)
      source?.close()
      const s = new EventSource(`${BASE}/events`)
      source = s
      const on = (name: string, f: (e: MessageEvent<string>) => void) => s.addEventListener(name, (e) => { try { f(e as MessageEvent<string>) } catch { /* not ours */ } })
      const about = (name: string, key: string) => on(name, (e) => { const { entity, id } = JSON.parse(e.data) as { entity: string; id: string }; void queryClient.invalidateQueries({ queryKey: [key, entity, id] }) })
      on('change', (e) => { changed.add((JSON.parse(e.data) as { entity: string }).entity); timer ??= setTimeout(flush, 500) })
      about('comment', 'comments')
      on('comment', (e) => void queryClient.invalidateQueries({ queryKey: ['talk', (JSON.parse(e.data) as { entity: string }).entity] }))
      about('presence', 'presence')
      about('document', 'document')
      about('followers', 'followers')
      on('conversation', (e) => { changed.add(TALK + (JSON.parse(e.data) as { id: string }).id); timer ??= setTimeout(flush, 300) })
      on('resync', missed)
      on('meta.changed', () => void queryClient.invalidateQueries({ queryKey: ['meta'] }))
      on('notification', () => ['notifications', 'approvals'].forEach((k) => void queryClient.invalidateQueries({ queryKey: [k] })))
      s.addEventListener('open', () => {
        clearTimeout(notice); notice = undefined; fails = 0
        // Where the stream broke, or this end was too slow, something was missed.
        if (broken) { missed(); onBack() }
        // What the bell asked for before anybody listened may be old already.
        else void queryClient.invalidateQueries({ queryKey: ['notifications'] })
        broken = false
        become(null)
      })
      s.addEventListener('error', () => { if (source === s) gone() })
    }
    const off = () => { clearTimeout(notice); notice = undefined; become(lost ?? Date.now()); gone() }
    const on = () => { fails = 0; connect() }
    again = on
    connect()
    addEventListener('offline', off)
    addEventListener('online', on)
    return () => {
      removeEventListener('offline', off); removeEventListener('online', on)
      again = () => {}
      const s = source; source = undefined; s?.close()
      for (const x of [timer, retry, notice]) clearTimeout(x)
    }
  }, [onBack])
}
