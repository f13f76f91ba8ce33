import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { get, patch, post } from '@/api/http'
import { useManages, useSession } from '@/api/session'
import { done } from '@/lib/undo'
import { useSubmit } from '@/lib/useForm'
import type { Entity } from '@/meta/types'
import { Dialog, Labelled } from '@/ui/basics'
import { pin, pinsOf } from './pins'
import type { SavedView, ViewState } from './state'

interface Named { id: string; name: string; label?: string | null; status?: string }
const EVERYBODY = '*'

/** What a view is called, who sees it, who may change it, and for whom it opens first. */
export default function ViewDialog({ entity, view, state, kind, onClose, onDone }: { entity: Entity; view: SavedView | undefined; state: ViewState; kind: string; onClose: () => void; onDone: (v: SavedView) => Promise<void> }) {
  const { t } = useTranslation()
  const { me } = useSession()
  const manages = useManages()
  const owns = view?.can_manage !== false
  const [name, setName] = useState(view?.name ?? '')
  const [visibility, setVisibility] = useState(view?.visibility ?? 'private')
  const [team, setTeam] = useState(view?.team_id ?? me?.workspace?.id ?? '')
  const [locked, setLocked] = useState(!!view?.locked)
  const [roles, setRoles] = useState<string[]>(view?.default_for ?? [])
  const pinned = !!view && pinsOf(me).includes(view.id)
  const [pinIt, setPinIt] = useState(pinned)
  const shared = visibility !== 'private'
  const { data: teams } = useQuery({ queryKey: ['workspaces'], queryFn: () => get<{ data: Named[] }>('/workspaces').then((r) => r.data), staleTime: 60_000 })
  const { data: all } = useQuery({ queryKey: ['roles'], queryFn: () => get<{ data: Named[] }>('/roles').then((r) => r.data), staleTime: 60_000, enabled: manages && shared })
  const { submit, busy, errors, message } = useSubmit(async () => {
    const rights = owns ? { visibility, ...(visibility === 'team' ? { team_id: team } : {}), locked: shared && locked, ...(manages ? { default_for: shared ? roles : [] } : {}) } : {}
    const v = view ? await patch<SavedView>(`/views/${view.id}`, { name, ...rights }) : await post<SavedView>('/views', { entity: entity.name, name, kind, state, ...rights })
    if (pinIt !== pinned) await pin(v.id, pinIt)
    await onDone(view ? { ...view, ...v } : v)
    done(t('views.saved'))
    onClose()
  })
  const toggle = (role: string) => setRoles((old) => (old.includes(role) ? old.filter((r) => r !== role) : [...old, role]))
  const fault = errors.team_id ?? errors.visibility ?? errors.default_for
  return (
    <Dialog title={view ? t('views.edit') : t('views.saveNew')} width={440} onClose={onClose} onSubmit={() => void submit()} footer={<>
      <button type="button" className="btn" onClick={onClose}>{t('cancel')}</button><button type="submit" className="btn primary" disabled={busy || !name.trim()}>{t('save')}</button></>}>
      <Labelled label={t('name')} required error={errors.name ?? (message && !Object.keys(errors).length ? message : undefined)} className="mb-4">{(p) => <input {...p} className="input" autoFocus value={name} onChange={(e) => setName(e.target.value)} />}</Labelled>
      {owns && (
        <fieldset className="border-0 p-0 m-0 mb-3"><legend className="field-label">{t('views.who')}</legend>
          {(['private', 'team', 'shared'] as const).filter((v) => v !== 'team' || !!teams?.length).map((v) => <div key={v}>
            <label className="flex items-center gap-2 h-8"><input type="radio" name="visibility" checked={visibility === v} onChange={() => setVisibility(v)} />{t(`views.${v}`)}</label>
            {v === 'team' && visibility === v && <select className="input mb-1" aria-label={t('views.whichTeam')} value={team} onChange={(e) => setTeam(e.target.value)}>{teams?.filter((w) => w.id === team || w.status !== 'archived').map((w) => <option key={w.id} value={w.id}>{w.name}</option>)}</select>}
          </div>)}
          {fault && <div className="text-bad text-xs mt-1" role="alert">{fault}</div>}
        </fieldset>
      )}
      {owns && shared && <label className="flex items-center gap-2 min-h-8"><input type="checkbox" checked={locked} onChange={() => setLocked(!locked)} />{t('views.lock')}</label>}
      {owns && shared && manages && all && (
        <fieldset className="border-0 p-0 m-0 mt-3"><legend className="field-label">{t('views.opensFor')}</legend>
          <div className="grid grid-cols-2 max-md:grid-cols-1 gap-x-4">
            <label className="flex items-center gap-2 min-h-8"><input type="checkbox" checked={roles.includes(EVERYBODY)} onChange={() => toggle(EVERYBODY)} />{t('views.everybody')}</label>
            {all.map((r) => <label key={r.id} className="flex items-center gap-2 min-h-8"><input type="checkbox" checked={roles.includes(r.name)} onChange={() => toggle(r.name)} />{r.label || r.name}</label>)}
          </div>
        </fieldset>
      )}
      <label className="flex items-center gap-2 min-h-8 mt-1"><input type="checkbox" checked={pinIt} onChange={() => setPinIt(!pinIt)} />{t('views.pin')}</label>
    </Dialog>
  )
}
