import { ChevronDown } from 'lucide-react'
import { clsx } from 'clsx'
import { useNavigate } from '@tanstack/react-router'
import { useRef, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { toast } from '@/lib/toast'
import { messageOf } from '@/api/http'
import * as records from '@/api/records'
import { done } from '@/lib/undo'
import type { ActionSpec, Entity, Row } from '@/meta/types'
import { Confirm, Menu } from '@/ui/basics'
import { ActionDialog } from './action-dialog'

/** What this person may do with this record now: the server lists it, its metadata names it. */
export function actionsOf(entity: Entity, row: Row): ActionSpec[] {
  const offered = Array.isArray(row._actions) ? row._actions : []
  return offered.map((a: unknown): ActionSpec => {
    const given = typeof a === 'string' ? { name: a } : (a as { name?: string; action?: string; label?: string })
    const name = given.name ?? (given as { action?: string }).action ?? ''
    const spec = entity.actions.find((x) => x.name === name)
    const move = entity.states?.moves.find((m) => m.action === name)
    return { ...spec, name, label: ('label' in given && given.label) || spec?.label || move?.label || name }
  }).filter((a) => a.name && !['read', 'update', 'delete', 'create', 'restore', 'export'].includes(a.name))
}
const dangerous = (a: ActionSpec) => a.style === 'danger' || a.style === 'destructive'

/** A button that goes with its state takes the keyboard's place along: it is given to the next action, or to the record. */
function keepFocus(bar: HTMLElement | null): void {
  const home = bar?.closest<HTMLElement>('aside[tabindex], main')
  let tries = 40
  const look = () => {
    const now = document.activeElement
    if (!now || now === document.body || now === home) (home?.querySelector<HTMLElement>('[data-actions] button:not(:disabled)') ?? home)?.focus({ preventScroll: true })
    if (--tries) setTimeout(look, 75)
  }
  setTimeout(look, 75)
}

export function ActionBar({ entity, row, dirty, max = 3, onDone }: { entity: Entity; row: Row; dirty: boolean; max?: number; onDone: (row: Row) => void }) {
  const { t } = useTranslation()
  const navigate = useNavigate()
  const [asking, setAsking] = useState<ActionSpec | null>(null)
  const [confirming, setConfirming] = useState<ActionSpec | null>(null)
  const [busy, setBusy] = useState('')
  const bar = useRef<HTMLDivElement>(null)
  const all = actionsOf(entity, row)
  if (all.length === 0) return null
  const primary = all.find((a) => a.style === 'primary') ?? all.find((a) => !dangerous(a))

  const perform = async (a: ActionSpec, body: Record<string, unknown>) => {
    setBusy(a.name)
    keepFocus(bar.current)
    try {
      const answer = await records.act(entity.name, row, a.name, body)
      records.refresh(entity.name)
      // An action may have made another record: the way there is offered.
      const made = answer._made as { entity?: string; id?: string; approval?: { id: string }; message?: string; file?: { name: string; text: string } } | null | undefined
      const waits = made?.approval
      if (waits) toast(made.message ?? '', { duration: 9000, action: { label: t('open'), onClick: () => void navigate({ to: '/approvals', search: { of: 'requested', id: waits.id } }) } })
      else if (made?.entity && made.id) {
        const to = { to: '/o/$entity/r/$id' as const, params: { entity: made.entity, id: made.id }, search: {} }
        records.refresh(made.entity)
        toast.success(t('actionDone', { action: a.label }), { duration: 8000, action: { label: t('open'), onClick: () => void navigate(to) } })
      } else {
        if (made?.file) (await import('@/lib/keep')).keep(made.file)
        done(t('actionDone', { action: a.label }))
      }
      onDone(row)
    } finally { setBusy('') }
  }
  const start = (a: ActionSpec) => {
    if (dirty) { toast.error(t('saveFirst')); return }
    if (a.fields?.length) setAsking(a)
    else if (dangerous(a) || a.confirm) setConfirming(a)
    else perform(a, {}).catch((e) => toast.error(`${a.label}: ${messageOf(e)}`, { duration: 9000 }))
  }
  // What cannot be taken back stands last.
  const others = all.filter((a) => a !== primary)
  const order = [...(primary ? [primary] : []), ...others.filter((a) => !dangerous(a)), ...others.filter(dangerous)]
  const shown = order.slice(0, max)
  const rest = order.slice(max)
  return (
    <div ref={bar} data-actions className="flex flex-wrap gap-1.5" role="group" aria-label={t('actions')}>
      {shown.map((a) => <button key={a.name} type="button" className={clsx('btn', a === primary && 'primary', dangerous(a) && 'danger')} disabled={!!busy} aria-busy={busy === a.name} onClick={() => start(a)}>{a.label}</button>)}
      {rest.length > 0 && <Menu align="end" trigger={<button type="button" className="btn icon" aria-label={t('moreSteps')}><ChevronDown size={15} /></button>} items={rest.map((a) => ({ label: a.label, danger: dangerous(a), onSelect: () => start(a) }))} />}
      {confirming && <Confirm title={t('confirmAction', { action: confirming.label })} text={confirming.confirm ?? t('confirmActionText')} action={confirming.label} danger={dangerous(confirming)} onClose={() => setConfirming(null)} onConfirm={() => perform(confirming, {}).catch((e) => toast.error(messageOf(e), { duration: 9000 }))} />}
      {asking && <ActionDialog entity={entity} action={asking} row={row} onClose={() => setAsking(null)} run={(body) => perform(asking, body)} />}
    </div>
  )
}
