import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { messageOf, patch } from '@/api/http'
import { meQuery, queryClient, useSession, type Me } from '@/api/session'
import { toast } from '@/lib/toast'

const KINDS = ['approval', 'mention', '*'] as const
const WAYS = ['in_app', 'email'] as const
type Wishes = Record<string, { in_app?: boolean; email?: boolean }>

/** What the server does with these wishes: those of the kind, then those for all others, then in the product and not by mail. */
export const wished = (all: Wishes, kind: string, way: 'in_app' | 'email'): boolean => all[kind]?.[way] ?? all['*']?.[way] ?? way === 'in_app'

export function Notifications() {
  const { t } = useTranslation()
  const { me } = useSession()
  const [wishes, setWishes] = useState<Wishes>(me?.user.preferences?.notifications ?? {})
  const keep = (notifications: Wishes) => queryClient.setQueryData<Me | null>(meQuery.queryKey, (m) => (m ? { ...m, user: { ...m.user, preferences: { ...m.user.preferences, notifications } } } : m))
  const set = async (kind: string, way: 'in_app' | 'email', on: boolean) => {
    const next = { ...wishes, [kind]: { ...wishes[kind], [way]: on } }
    setWishes(next)
    try { await patch('/me', { preferences: { notifications: next } }); keep(next) } catch (e) { setWishes(wishes); toast.error(messageOf(e)) }
  }
  return (
    <section className="max-w-[520px] mt-8 pt-5 border-t border-line" aria-labelledby="notify">
      <h2 id="notify" className="text-base font-semibold m-0">{t('notifications')}</h2>
      <p className="text-muted mt-1 mb-3">{t('notify.text')}</p>
      <table className="data">
        <thead><tr><th scope="col">{t('notify.about')}</th>{WAYS.map((w) => <th key={w} scope="col">{t(`notify.${w}`)}</th>)}</tr></thead>
        <tbody>{KINDS.map((k) => {
          const name = t(`notify.kind_${k === '*' ? 'rest' : k}`)
          return <tr key={k}><th scope="row" className="!text-fg">{name}</th>{WAYS.map((w) => <td key={w}><label className="flex min-h-6 min-w-6 items-center"><input type="checkbox" aria-label={`${name}: ${t(`notify.${w}`)}`} checked={wished(wishes, k, w)} onChange={(e) => void set(k, w, e.target.checked)} /></label></td>)}</tr>
        })}</tbody>
      </table>
    </section>
  )
}
