import { useQuery } from '@tanstack/react-query'
import { useEffect } from 'react'
import { useTranslation } from 'react-i18next'
import { BASE, post } from '@/api/http'
import { usePeople } from '@/api/people'
import { useSession } from '@/api/session'
import { fieldOf } from '@/meta/hooks'
import type { Entity } from '@/meta/types'
import { Avatar, hueOf } from '@/ui/basics'

export interface Here { id: string; name: string; field: string | null; caret?: string | null; window: string }

// One for each tab of the browser; no page here needs it to be secret.
const hex = [...crypto.getRandomValues(new Uint8Array(16))].map((b, i) => ((i === 6 ? (b & 15) | 64 : i === 8 ? (b & 63) | 128 : b) + 256).toString(16).slice(1)).join('')
const WINDOW = hex.replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-')
const EVERY = 10_000

/** Says that the person is here, what he is changing and where in it; answers who else is. Who looks away is gone after a while. */
export function usePresence(entity: string, id: string, field: string | undefined, caret?: string): Here[] {
  const { me } = useSession()
  const { data, refetch } = useQuery({
    queryKey: ['presence', entity, id], enabled: !me?.viewing, retry: false, gcTime: 0, staleTime: 0, refetchInterval: EVERY, refetchOnWindowFocus: 'always',
    queryFn: () => post<{ data: Here[] }>('/presence', { entity, record: id, window: WINDOW, field: now.field, caret: now.caret }).then((r) => r.data),
  })
  useEffect(() => {
    if (now.field === field && now.caret === caret) return
    now.field = field; now.caret = caret
    void refetch()
  }, [field, caret, refetch])
  useEffect(() => {
    if (me?.viewing) return
    const key = `${entity}/${id}`
    now.at = key
    const leave = () => { now.field = now.caret = undefined; void fetch(`${BASE}/presence/${WINDOW}`, { method: 'DELETE', keepalive: true, credentials: 'same-origin' }).catch(() => {}) }
    addEventListener('pagehide', leave)
    return () => {
      removeEventListener('pagehide', leave)
      if (now.at === key) now.at = undefined
      // Who goes on to the next record says so by coming there.
      setTimeout(() => { if (!now.at) leave() }, 100)
    }
  }, [entity, id, me?.viewing])
  const others = (data ?? []).filter((h) => h.id !== me?.user.id)
  return others.filter((h, i) => others.findIndex((x) => x.id === h.id && (x.field || !h.field)) === i)
}
const now: { field: string | undefined; caret: string | undefined; at: string | undefined } = { field: undefined, caret: undefined, at: undefined }

export const ringOf = (name: string): React.CSSProperties => ({ '--h': hueOf(name) }) as React.CSSProperties

/** The colleagues who have the same record open. */
export function Present({ here, entity }: { here: Here[]; entity: Entity }) {
  const { t } = useTranslation()
  const people = usePeople()
  if (here.length === 0) return null
  return (
    <ul className="list-none m-0 p-0 flex ms-auto mt-0.5 no-print" aria-label={t('record.here')}>
      {here.slice(0, 5).map((h, i) => {
        const label = (h.field && fieldOf(entity, h.field)?.label) || null
        const text = label ? t('record.hereEditing', { name: h.name, field: label }) : h.name
        return <li key={h.id} className="flex rounded-full" style={{ marginInlineStart: i ? -6 : 0, boxShadow: '0 0 0 2px var(--surface)' }} title={text}><Avatar name={h.name} size={24} src={people.find((p) => p.id === h.id)?.picture} /><span className="visually-hidden">{text}</span></li>
      })}
      {here.length > 5 && <li className="text-muted text-xs self-center ms-1">+{here.length - 5}</li>}
    </ul>
  )
}
