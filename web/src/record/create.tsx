import { useQueries } from '@tanstack/react-query'
import { useMemo, useRef, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { messageOf, Problem } from '@/api/http'
import * as records from '@/api/records'
import { isEmpty } from '@/fields/registry'
import { MOD } from '@/lib/keys'
import { done } from '@/lib/undo'
import { entityQuery } from '@/meta/hooks'
import type { Entity, Row } from '@/meta/types'
import { Dialog, Skeleton } from '@/ui/basics'
import { defaults, formRows, lineChanges, lineDetails, lineFields, placeErrors, without, type LineRow } from './draft'
import { LongForm, OtherErrors } from './form'
import { forget, useKept } from './kept'
import { LinesEditor } from './lines'

interface Draft { values: Record<string, unknown>; lines: Record<string, LineRow[]>; touched: string[]; key: string; from?: string; errors?: Record<string, string>; message?: string }

export default function CreateDialog({ entity, preset, onClose, onCreated }: { entity: Entity; preset?: Record<string, unknown>; onClose: () => void; onCreated: (row: Row) => void }) {
  const { t } = useTranslation()
  const rows = useMemo(() => formRows(entity), [entity])
  const [values, setValues] = useState<Record<string, unknown>>(() => ({ ...defaults(rows.flat()), ...preset }))
  const [lines, setLines] = useState<Record<string, LineRow[]>>(() => Object.fromEntries(entity.lines.map((l) => [l.name, []])))
  const metas = useQueries({ queries: entity.lines.map((l) => entityQuery(l.entity)) })
  const [errors, setErrors] = useState<Record<string, string>>({})
  const [message, setMessage] = useState('')
  const [busy, setBusy] = useState(false)
  // A default nobody touched is not sent: the server knows it, and may know better.
  const touched = useRef(new Set(Object.keys(preset ?? {})))
  // One key for one creation: pressed twice or sent again after a lost answer, it is still one record.
  const key = useRef(crypto.randomUUID())

  // Over a reload that nobody asked for.
  const place = `new ${entity.name}`
  // What waited to be sent and was refused, until it is mended.
  const from = useRef<string>(undefined)
  useKept(place, touched.current.size > Object.keys(preset ?? {}).length || Object.values(lines).some((l) => l.length), (): Draft => ({ values, lines, touched: [...touched.current], key: key.current, ...(from.current ? { from: from.current } : {}) }), (was) => { setValues(was.values); setLines(was.lines); touched.current = new Set(was.touched); key.current = was.key as typeof key.current; from.current = was.from; setErrors(was.errors ?? {}); setMessage(was.message ?? '') })

  const save = async () => {
    if (busy) return
    const missing = Object.fromEntries(rows.flat().filter((f) => f.required && isEmpty(values[f.name]) && isEmpty(f.default)).map((f) => [f.name, t('error.required')]))
    if (Object.keys(missing).length) { setErrors(missing); setMessage(''); focusBad(); return }
    setBusy(true); setErrors({}); setMessage('')
    const keysOf: Record<string, string[]> = {}
    const body: Record<string, unknown> = Object.fromEntries(Object.entries(values).filter(([k, v]) => !isEmpty(v) && touched.current.has(k)))
    entity.lines.forEach((l, i) => {
      const m = metas[i]?.data
      if (!m) return
      const c = lineChanges([], lines[l.name] ?? [], [...lineFields(m, l.fk), ...lineDetails(m, l.fk)])
      keysOf[l.name] = c.keys
      if (c.rows.length) body[l.name] = c.rows
    })
    try {
      const row = await records.create(entity.name, body, key.current)
      forget(place)
      if (from.current) dispatchEvent(new CustomEvent('fondaco:mended', { detail: from.current }))
      done(t('created', { name: entity.label }))
      onCreated(row)
    } catch (e) {
      // Nobody was there to say anything: kept here, and sent when somebody is.
      if ((e instanceof TypeError || (e instanceof Problem && [502, 504].includes(e.status))) && !dispatchEvent(new CustomEvent('fondaco:waits', { cancelable: true, detail: { key: key.current, entity: entity.name, label: entity.label, title: String(values[entity.title_field ?? ''] ?? ''), body, form: { values, lines, touched: [...touched.current] }, keysOf, from: from.current } }))) { close(); return }
      if (e instanceof Problem) { setErrors(placeErrors(e.errors, keysOf)); key.current = crypto.randomUUID() }
      setMessage(messageOf(e))
      focusBad()
    } finally { setBusy(false) }
  }
  const close = () => { forget(place); onClose() }
  const shown = new Set(rows.flat().map((f) => f.name))
  const placed = (k: string) => shown.has(k) || entity.lines.some((l) => new RegExp(`^${l.name}\\.[^.]+\\.[^.]+$`).test(k))
  return (
    <Dialog title={t('newNamed', { name: entity.label })} width={entity.lines.length ? 1060 : 720} onClose={close} onSubmit={() => void save()} footer={<>
      <button type="button" className="btn" onClick={close}>{t('cancel')}</button>
      <button type="submit" className="btn primary" disabled={busy} aria-busy={busy}>{t('create')}<kbd aria-hidden="true">{MOD}↵</kbd></button></>}>
      <OtherErrors message={Object.keys(errors).some((k) => placed(k)) ? '' : message} errors={errors} known={placed} />
      <LongForm rows={rows} visible={entity.lines.length ? 3 : 7} values={values} errors={errors} focusFirst onChange={(n, v) => { touched.current.add(n); setValues((old) => ({ ...old, [n]: v })); setErrors((old) => without(old, n)) }} />
      {entity.lines.map((l, i) => {
        const m = metas[i]?.data
        return (
          <section key={l.name} className="mt-6" aria-label={l.label ?? m?.plural ?? l.name}>
            <h3 className="m-0 mb-1 text-2xs font-semibold text-faint">{l.label ?? m?.plural}</h3>
            {m ? <LinesEditor meta={m} fk={l.fk} name={l.name} rows={lines[l.name]?.length ? lines[l.name]! : []} onChange={(r) => setLines((old) => ({ ...old, [l.name]: r }))} errors={errors} parent={values} locked={false} /> : <Skeleton rows={2} />}
          </section>
        )
      })}
    </Dialog>
  )
}

export const focusBad = (): void => void requestAnimationFrame(() => document.querySelector<HTMLElement>('[aria-invalid=true]')?.focus())
