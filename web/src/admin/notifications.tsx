import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { messageOf, patch } from '@/api/http'
import { meQuery, queryClient, useSession, type Me } from '@/api/session'
import { ownZone } from '@/lib/places'
import { toast } from '@/lib/toast'
import { Labelled } from '@/ui/basics'

const KINDS = ['mention', 'reply', 'comment', 'message', 'change', 'approval', 'payment', 'achievement', 'trigger', '*'] as const
const WAYS = ['in_app', 'email'] as const
type Wishes = Record<string, { in_app?: boolean; email?: boolean }>
type Preferences = NonNullable<Me['user']['preferences']>

/** What the server does with these wishes: those of the kind, then those for all others, then in the product and not by mail. */
export const wished = (all: Wishes, kind: string, way: 'in_app' | 'email'): boolean => all[kind]?.[way] ?? all['*']?.[way] ?? way === 'in_app'

export function Notifications() {
  const { t } = useTranslation()
  const { me } = useSession()
  const [all, setAll] = useState<Preferences>(me?.user.preferences ?? {})
  const wishes: Wishes = all.notifications ?? {}
  const change = async (part: Partial<Preferences>) => {
    const next = { ...all, ...part }
    setAll(next)
    try {
      await patch('/me', { preferences: part })
      queryClient.setQueryData<Me | null>(meQuery.queryKey, (m) => (m ? { ...m, user: { ...m.user, preferences: { ...m.user.preferences, ...part } } } : m))
    } catch (e) { setAll(all); toast.error(messageOf(e)) }
  }
  const set = (kind: string, way: 'in_app' | 'email', on: boolean) => change({ notifications: { ...wishes, [kind]: { ...wishes[kind], [way]: on } } })
  const quiet = all.quiet ?? null
  const written = KINDS.some((k) => wished(wishes, k, 'email'))
  return (
    <section className="max-w-[560px] mt-8 pt-5 border-t border-line" aria-labelledby="notify">
      <h2 id="notify" className="text-base font-semibold m-0">{t('notifications')}</h2>
      <p className="text-muted mt-1 mb-3">{t('notify.text')}</p>
      <table className="data">
        <thead><tr><th scope="col">{t('notify.about')}</th>{WAYS.map((w) => <th key={w} scope="col">{t(`notify.${w}`)}</th>)}</tr></thead>
        <tbody>{KINDS.map((k) => {
          const name = t(`notify.kind_${k === '*' ? 'rest' : k}`)
          return <tr key={k}><th scope="row" className="!text-fg">{name}</th>{WAYS.map((w) => <td key={w}><label className="flex min-h-6 min-w-6 items-center"><input type="checkbox" aria-label={`${name}: ${t(`notify.${w}`)}`} checked={wished(wishes, k, w)} onChange={(e) => void set(k, w, e.target.checked)} /></label></td>)}</tr>
        })}</tbody>
      </table>
      <fieldset className="border-0 p-0 mx-0 mt-5" disabled={!written}>
        <legend className="field-label">{t('notify.digest')}</legend>
        <div className="flex items-center gap-4 flex-wrap">
          {([false, true] as const).map((daily) => <label key={String(daily)} className="flex items-center gap-2 min-h-8"><input type="radio" name="digest" checked={!!all.digest === daily} onChange={() => void change({ digest: daily ? '09:00' : null })} />{t(daily ? 'notify.digest_daily' : 'notify.digest_now')}</label>)}
          {all.digest && <Labelled label={t('notify.digestAt')} className="flex items-center gap-2 [&>label]:!m-0">{(p) => <input {...p} className="input !w-[110px]" type="time" required value={all.digest!} onChange={(e) => { if (e.target.value) void change({ digest: e.target.value }) }} />}</Labelled>}
        </div>
      </fieldset>
      {!all.digest && <fieldset className="border-0 p-0 mx-0 mt-4" disabled={!written}>
        <legend className="visually-hidden">{t('notify.quiet')}</legend>
        <div className="flex items-center gap-4 flex-wrap">
          <label className="flex items-center gap-2 min-h-8"><input type="checkbox" checked={!!quiet} onChange={(e) => void change({ quiet: e.target.checked ? { from: '22:00', to: '08:00' } : null })} />{t('notify.quiet')}</label>
          {quiet && (['from', 'to'] as const).map((end) => <Labelled key={end} label={t(`notify.${end}`)} className="flex items-center gap-2 [&>label]:!m-0">{(p) => <input {...p} className="input !w-[110px]" type="time" required value={quiet[end]} onChange={(e) => { if (e.target.value) void change({ quiet: { ...quiet, [end]: e.target.value } }) }} />}</Labelled>)}
        </div>
        <p className="field-help m-0 mt-1">{t('notify.quietText', { zone: (me?.user.time_zone || ownZone()).replaceAll('_', ' ') })}</p>
      </fieldset>}
    </section>
  )
}
