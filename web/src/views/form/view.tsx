import { useImperativeHandle, useRef, useState } from 'react'
import { useTranslation } from 'react-i18next'
import * as records from '@/api/records'
import { MOD } from '@/lib/keys'
import { titleOf } from '@/meta/hooks'
import type { Row } from '@/meta/types'
import { useCreating } from '@/record/creating'
import { FormFields, OtherErrors } from '@/record/form'
import { Empty } from '@/ui/basics'
import type { ViewProps } from '../kind'

const KEPT = 12

/** One record after another: what is saved stays in sight, the form begins anew. */
export default function FillIn({ entity, handle, openId, onOpen, onEscape }: ViewProps) {
  const { t } = useTranslation()
  const one = useCreating(entity, `form ${entity.name}`)
  const [keep, setKeep] = useState(false)
  const [round, setRound] = useState(0)
  const [made, setMade] = useState<Row[]>([])
  const [said, setSaid] = useState('')
  const form = useRef<HTMLFormElement>(null)
  const first = () => requestAnimationFrame(() => form.current?.querySelector<HTMLElement>('input:not([type=hidden]),select,textarea')?.focus())
  useImperativeHandle(handle, () => ({ focus: () => void first() }))
  if (!entity.can.create) return <Empty title={t('form.mayNot', { name: entity.plural })} text={t('form.mayNotText')} />

  const anew = (same: boolean) => { one.reset(same); setRound((n) => n + 1); first() }
  const save = async () => {
    const row = await one.save()
    if (!row) return
    if (row !== 'waits') {
      setMade((old) => [row, ...old].slice(0, KEPT))
      setSaid(t('form.saved', { name: titleOf(entity, row) }))
      records.refresh(entity.name)
    }
    anew(keep)
  }
  return (
    <div className="flex-1 min-h-0 overflow-auto" onKeyDown={(e) => { if (e.key === 'Escape' && !e.defaultPrevented) onEscape() }}>
      <div className="mx-auto p-5 flex gap-8 max-md:flex-col max-md:p-3" style={{ maxWidth: 1120 }}>
        <form ref={form} noValidate className="flex-1 min-w-0" aria-label={t('newNamed', { name: entity.label })} onSubmit={(e) => { e.preventDefault(); void save() }} onKeyDown={(e) => { if (e.key === 'Enter' && (e.metaKey || e.ctrlKey)) { e.preventDefault(); void save() } }}>
          <OtherErrors {...one.others} />
          <FormFields key={round} rows={one.rows} {...one.fields} />
          {one.lines('h2')}
          <div className="flex items-center gap-4 mt-6 pt-3 border-t border-line sticky bottom-0 bg-surface pb-3 flex-wrap">
            <button type="submit" className="btn primary" disabled={one.busy} aria-busy={one.busy}>{t('form.next')}<kbd aria-hidden="true">{MOD}↵</kbd></button>
            <button type="button" className="btn ghost" onClick={() => anew(false)}>{t('form.reset')}</button>
            <label className="flex items-center gap-2 min-h-8"><input type="checkbox" checked={keep} onChange={(e) => setKeep(e.target.checked)} />{t('form.keep')}</label>
          </div>
        </form>
        <aside className="flex-none w-[240px] max-md:w-full" aria-label={t('form.made')}>
          <h2 className="m-0 mb-2 text-2xs font-semibold text-faint">{t('form.made')}</h2>
          {made.length === 0 ? <p className="text-muted m-0">{t('form.none')}</p> : <ul className="list-none m-0 p-0">{made.map((r) => <li key={r.id}><button type="button" className="item" aria-current={r.id === openId || undefined} onClick={() => onOpen(r)}><span className="truncate">{titleOf(entity, r)}</span></button></li>)}</ul>}
        </aside>
      </div>
      <div role="status" aria-live="polite" className="visually-hidden">{said}</div>
    </div>
  )
}
