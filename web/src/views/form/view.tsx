import { useQueries } from '@tanstack/react-query'
import { useImperativeHandle, useMemo, useRef, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { messageOf, Problem } from '@/api/http'
import * as records from '@/api/records'
import { isEmpty } from '@/fields/registry'
import { MOD } from '@/lib/keys'
import { entityQuery, titleOf } from '@/meta/hooks'
import type { Row } from '@/meta/types'
import { focusBad } from '@/record/create'
import { defaults, formRows, lineChanges, lineDetails, lineFields, placeErrors, without, type LineRow } from '@/record/draft'
import { FormFields, OtherErrors } from '@/record/form'
import { LinesEditor } from '@/record/lines'
import { Empty, Skeleton } from '@/ui/basics'
import type { ViewProps } from '../kind'

const KEPT = 12

/** One record after another: what is saved stays in sight, the form begins anew. */
export default function FillIn({ entity, handle, openId, onOpen, onEscape }: ViewProps) {
  const { t } = useTranslation()
  const rows = useMemo(() => formRows(entity), [entity])
  const fresh = useMemo(() => defaults(rows.flat()), [rows])
  const [values, setValues] = useState<Record<string, unknown>>(fresh)
  const [lines, setLines] = useState<Record<string, LineRow[]>>({})
  const [keep, setKeep] = useState(false)
  const [round, setRound] = useState(0)
  const [errors, setErrors] = useState<Record<string, string>>({})
  const [message, setMessage] = useState('')
  const [busy, setBusy] = useState(false)
  const [made, setMade] = useState<Row[]>([])
  const [said, setSaid] = useState('')
  const form = useRef<HTMLFormElement>(null)
  const touched = useRef(new Set<string>())
  const key = useRef(crypto.randomUUID())
  const metas = useQueries({ queries: entity.lines.map((l) => entityQuery(l.entity)) })
  const first = () => requestAnimationFrame(() => form.current?.querySelector<HTMLElement>('input:not([type=hidden]),select,textarea')?.focus())
  useImperativeHandle(handle, () => ({ focus: () => void first() }))
  if (!entity.can.create) return <Empty title={t('form.mayNot', { name: entity.plural })} text={t('form.mayNotText')} />

  const save = async () => {
    if (busy) return
    const missing = Object.fromEntries(rows.flat().filter((f) => f.required && isEmpty(values[f.name]) && isEmpty(f.default)).map((f) => [f.name, t('error.required')]))
    if (Object.keys(missing).length) { setErrors(missing); setMessage(''); focusBad(); return }
    setBusy(true); setErrors({}); setMessage('')
    const keysOf: Record<string, string[]> = {}
    try {
      const body: Record<string, unknown> = Object.fromEntries(Object.entries(values).filter(([k, v]) => !isEmpty(v) && touched.current.has(k)))
      entity.lines.forEach((l, i) => {
        const m = metas[i]?.data
        if (!m) return
        const c = lineChanges([], lines[l.name] ?? [], [...lineFields(m, l.fk), ...lineDetails(m, l.fk)])
        keysOf[l.name] = c.keys
        if (c.rows.length) body[l.name] = c.rows
      })
      const row = await records.create(entity.name, body, key.current)
      key.current = crypto.randomUUID()
      setMade((old) => [row, ...old].slice(0, KEPT))
      setSaid(t('form.saved', { name: titleOf(entity, row) }))
      records.refresh(entity.name)
      if (!keep) { touched.current.clear(); setValues(fresh) }
      setLines({})
      setRound((n) => n + 1)
      first()
    } catch (e) {
      if (e instanceof Problem) { setErrors(placeErrors(e.errors, keysOf)); key.current = crypto.randomUUID() }
      setMessage(messageOf(e))
      focusBad()
    } finally { setBusy(false) }
  }
  const shown = new Set(rows.flat().map((f) => f.name))
  const placed = (k: string) => shown.has(k) || entity.lines.some((l) => k.startsWith(`${l.name}.`))
  return (
    <div className="flex-1 min-h-0 overflow-auto" onKeyDown={(e) => { if (e.key === 'Escape' && !e.defaultPrevented) onEscape() }}>
      <div className="mx-auto p-5 flex gap-8 max-md:flex-col max-md:p-3" style={{ maxWidth: 1120 }}>
        <form ref={form} noValidate className="flex-1 min-w-0" aria-label={t('newNamed', { name: entity.label })} onSubmit={(e) => { e.preventDefault(); void save() }} onKeyDown={(e) => { if (e.key === 'Enter' && (e.metaKey || e.ctrlKey)) { e.preventDefault(); void save() } }}>
          <OtherErrors message={Object.keys(errors).some(placed) ? '' : message} errors={errors} known={placed} />
          <FormFields key={round} rows={rows} values={values} errors={errors} onChange={(n, v) => { touched.current.add(n); setValues((old) => ({ ...old, [n]: v })); setErrors((old) => without(old, n)) }} />
          {entity.lines.map((l, i) => {
            const m = metas[i]?.data
            return <section key={`${l.name}${round}`} className="mt-6" aria-label={l.label ?? m?.plural ?? l.name}><h2 className="m-0 mb-1 text-2xs font-semibold text-faint">{l.label ?? m?.plural}</h2>{m ? <LinesEditor meta={m} fk={l.fk} name={l.name} rows={lines[l.name] ?? []} onChange={(r) => setLines((old) => ({ ...old, [l.name]: r }))} errors={errors} parent={values} locked={false} /> : <Skeleton rows={2} />}</section>
          })}
          <div className="flex items-center gap-4 mt-6 pt-3 border-t border-line sticky bottom-0 bg-surface pb-3 flex-wrap">
            <button type="submit" className="btn primary" disabled={busy} aria-busy={busy}>{t('form.next')}<kbd aria-hidden="true">{MOD}↵</kbd></button>
            <button type="button" className="btn ghost" onClick={() => { touched.current.clear(); setValues(fresh); setLines({}); setErrors({}); setMessage(''); setRound((n) => n + 1); first() }}>{t('form.reset')}</button>
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
