import { clsx } from 'clsx'
import { Building2, ChevronDown, Lock, Save, Table2, UserRound, Users } from 'lucide-react'
import { lazy, Suspense, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { toast } from '@/lib/toast'
import { del, messageOf, patch, post } from '@/api/http'
import { queryClient, useSession } from '@/api/session'
import { done } from '@/lib/undo'
import type { Entity } from '@/meta/types'
import { Confirm, Menu } from '@/ui/basics'
import { moved } from './order'
import { pin, pinsOf } from './pins'
import type { SavedView, ViewState } from './state'

const SEEN = { private: UserRound, team: Users, shared: Building2 }
const ViewDialog = lazy(() => import('./view-dialog'))
const ShareDialog = lazy(() => import('./share-dialog'))

export function ViewTabs({ entity, views, current, state, kind, dirty, onPick }: { entity: Entity; views: SavedView[]; current: SavedView | undefined; state: ViewState; kind: string; dirty: boolean; onPick: (id: string | undefined) => void }) {
  const { t } = useTranslation()
  const [dialog, setDialog] = useState<'new' | 'edit' | 'share' | 'delete' | null>(null)
  const pins = pinsOf(useSession().me)
  const renew = () => queryClient.invalidateQueries({ queryKey: ['views', entity.name] })
  const shown = views.slice(0, 5)
  const more = views.slice(5)
  if (current && more.includes(current)) { shown.pop(); shown.push(current) }
  const keep = async () => {
    if (!current?.can_edit) { setDialog('new'); return }
    try { await patch(`/views/${current.id}`, { state, kind }); await renew(); onPick(current.id); done(t('views.saved')) } catch (e) { toast.error(messageOf(e)) }
  }
  const erase = async () => {
    if (!current) return
    try {
      await del(`/views/${current.id}`)
      onPick(undefined)
      await renew()
      const { entity: of, name, kind: as, state: was, visibility, team_id, locked, default_for, position } = current
      done(t('views.deleted'), async () => { await post('/views', { entity: of, name, kind: as, state: was, visibility, team_id, locked, position, ...(default_for?.length ? { default_for } : {}) }); await renew() })
    } catch (e) { toast.error(messageOf(e)) }
  }
  const pinned = !!current && pins.includes(current.id)
  const turnPin = async () => {
    if (!current) return
    try { await pin(current.id, !pinned); done(t(pinned ? 'views.unpinned' : 'views.pinDone')) } catch (e) { toast.error(messageOf(e)) }
  }
  const move = async (id: string, to: number) => {
    const changes = moved(views, id, to)
    try {
      for (const c of changes) await patch(`/views/${c.id}`, { position: c.position })
    } catch (e) { toast.error(messageOf(e)) }
    await renew()
  }
  const at = current ? views.indexOf(current) : -1
  const [dragged, setDragged] = useState<string | null>(null)
  const [over, setOver] = useState<string | null>(null)
  const tab = (id: string | undefined, name: string, v?: SavedView) => {
    const Seen = v && SEEN[v.visibility]
    return (
      <button key={id ?? ''} type="button" aria-pressed={current?.id === id} className={clsx('btn ghost sm', current?.id === id ? 'on' : 'text-muted')} style={id && over === id && dragged !== id ? { boxShadow: '0 0 0 2px var(--accent)' } : undefined} onClick={() => onPick(id)}
        draggable={!!v?.can_manage} onDragStart={(e) => { if (v) { e.dataTransfer.effectAllowed = 'move'; setDragged(v.id) } }} onDragEnd={() => { setDragged(null); setOver(null) }}
        onDragOver={(e) => { if (v && dragged) { e.preventDefault(); setOver(v.id) } }} onDragLeave={() => setOver(null)} onDrop={(e) => { e.preventDefault(); if (v && dragged && v.id !== dragged) void move(dragged, views.indexOf(v)) }}>
        {Seen ? <Seen size={13} aria-label={t(`views.${v.visibility}`)} /> : <Table2 size={14} aria-hidden="true" />}<span className="max-w-[160px] truncate">{name}</span>{v?.locked && <Lock size={11} aria-label={t('views.isLocked')} />}
      </button>
    )
  }
  return (
    <>
      <div role="group" aria-label={t('views.title')} className="flex items-center gap-1">
        {tab(undefined, t('views.all', { name: entity.plural.toLowerCase() }))}
        {shown.map((v) => tab(v.id, v.name, v))}
        {more.length > 0 && <Menu trigger={<button type="button" className="btn ghost sm">{t('more', { count: more.length })}<ChevronDown size={13} /></button>} items={more.map((v) => ({ label: v.name, onSelect: () => onPick(v.id) }))} />}
        {current && <Menu trigger={<button type="button" className="btn ghost icon sm" aria-label={t('views.menu', { name: current.name })}><ChevronDown size={13} /></button>} items={[
          current.can_edit && { label: t('views.edit'), onSelect: () => setDialog('edit') },
          { label: t('views.saveAs'), onSelect: () => setDialog('new') },
          current.can_manage && at > 0 && { label: t('views.earlier'), onSelect: () => void move(current.id, at - 1) },
          current.can_manage && at < views.length - 1 && { label: t('views.later'), onSelect: () => void move(current.id, at + 1) },
          { label: t(pinned ? 'views.unpin' : 'views.pin'), onSelect: () => void turnPin() },
          current.can_manage && entity.can.export && { label: t('share.link'), onSelect: () => setDialog('share') },
          ...(current.can_manage ? ['rule' as const, { label: t('delete'), danger: true, onSelect: () => setDialog('delete') }] : []),
        ]} />}
      </div>
      {dirty && <button type="button" className="btn sm" onClick={() => void keep()}><Save size={13} />{t(current?.can_edit ? 'views.save' : 'views.saveNew')}</button>}
      {dirty && current && <button type="button" className="btn ghost sm" onClick={() => onPick(current.id)}>{t('views.discard')}</button>}
      <Suspense fallback={null}>{(dialog === 'new' || dialog === 'edit') && <ViewDialog entity={entity} view={dialog === 'edit' ? current : undefined} state={state} kind={kind} onClose={() => setDialog(null)} onDone={async (v) => { await renew(); onPick(v.id) }} />}</Suspense>
      <Suspense fallback={null}>{dialog === 'share' && current && <ShareDialog view={current} onClose={() => setDialog(null)} onChanged={renew} />}</Suspense>
      {dialog === 'delete' && current && <Confirm title={t('views.deleteTitle', { name: current.name })} text={t('views.deleteText')} action={t('delete')} danger onClose={() => setDialog(null)} onConfirm={() => void erase()} />}
    </>
  )
}
