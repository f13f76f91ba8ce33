import { useQueries } from '@tanstack/react-query'
import { useMemo, useRef, useState, type ReactNode } from 'react'
import { useTranslation } from 'react-i18next'
import { messageOf, Problem } from '@/api/http'
import * as records from '@/api/records'
import { isEmpty } from '@/fields/registry'
import { entityQuery } from '@/meta/hooks'
import type { Entity, Row } from '@/meta/types'
import { Skeleton } from '@/ui/basics'
import { useFitting } from './conditional'
import { defaults, formRows, lineChanges, lineDetails, lineFields, placeErrors, without, type LineRow } from './draft'
import { focusBad } from './form'
import { forget, useKept } from './kept'
import { LinesEditor } from './lines'

interface Draft { values: Record<string, unknown>; lines: Record<string, LineRow[]>; touched: string[]; key: string; from?: string; errors?: Record<string, string>; message?: string }

export interface Creating {
  rows: ReturnType<typeof formRows>
  /** What the fields' component takes. */
  fields: { values: Record<string, unknown>; errors: Record<string, string>; onChange: (name: string, v: unknown) => void }
  /** What the component of the other errors takes. */
  others: { message: string; errors: Record<string, string>; known: (name: string) => boolean }
  busy: boolean
  /** The made record; `waits` where nobody was there to take it and it is kept to be sent; null where it was refused, which is shown. */
  save: () => Promise<Row | 'waits' | null>
  /** Begins anew, with the values where they are to be kept. */
  reset: (values: boolean) => void
  /** Leaves nothing behind of what was typed. */
  leave: () => void
  lines: (Heading: 'h2' | 'h3') => ReactNode
}

/** A record being made: its values and lines, what is wrong with them, and the one creation they become. `place` names what is kept over a reload that nobody asked for. */
export function useCreating(entity: Entity, place: string, preset?: Record<string, unknown>): Creating {
  const { t } = useTranslation()
  const whole = useMemo(() => formRows(entity), [entity])
  const fresh = () => ({ ...defaults(whole.flat()), ...preset })
  const [values, setValues] = useState<Record<string, unknown>>(fresh)
  const fit = useFitting(entity)
  const rows = useMemo(() => fit(whole, values), [fit, whole, values])
  const [lines, setLines] = useState<Record<string, LineRow[]>>({})
  const metas = useQueries({ queries: entity.lines.map((l) => entityQuery(l.entity)) })
  const [errors, setErrors] = useState<Record<string, string>>({})
  const [message, setMessage] = useState('')
  const [busy, setBusy] = useState(false)
  const [round, setRound] = useState(0)
  // A default nobody touched is not sent: the server knows it, and may know better.
  const touched = useRef(new Set(Object.keys(preset ?? {})))
  // One key for one creation: pressed twice or sent again after a lost answer, it is still one record.
  const key = useRef(crypto.randomUUID())
  // What waited to be sent and was refused, until it is mended.
  const from = useRef<string>(undefined)
  useKept(place, touched.current.size > Object.keys(preset ?? {}).length || Object.values(lines).some((l) => l.length), (): Draft => ({ values, lines, touched: [...touched.current], key: key.current, ...(from.current ? { from: from.current } : {}) }), (was) => { setValues(was.values); setLines(was.lines); touched.current = new Set(was.touched); key.current = was.key as typeof key.current; from.current = was.from; setErrors(was.errors ?? {}); setMessage(was.message ?? '') })

  const refuse = (bad: Record<string, string>, said: string) => { setErrors(bad); setMessage(said); focusBad(); return null }
  const save = async () => {
    if (busy) return null
    const missing = Object.fromEntries(rows.flat().filter((f) => f.required && isEmpty(values[f.name]) && isEmpty(f.default)).map((f) => [f.name, t('error.required')]))
    if (Object.keys(missing).length) return refuse(missing, '')
    setBusy(true); setErrors({}); setMessage('')
    const keysOf: Record<string, string[]> = {}
    const there = new Set(rows.flat().map((f) => f.name))
    const gone = new Set(whole.flat().map((f) => f.name).filter((n) => !there.has(n)))
    const body: Record<string, unknown> = Object.fromEntries(Object.entries(values).filter(([k, v]) => !isEmpty(v) && touched.current.has(k) && !gone.has(k)))
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
      return row
    } catch (e) {
      // Nobody was there to say anything: kept here, and sent when somebody is.
      if ((e instanceof TypeError || (e instanceof Problem && [502, 504].includes(e.status))) && !dispatchEvent(new CustomEvent('fondaco:waits', { cancelable: true, detail: { key: key.current, entity: entity.name, label: entity.label, title: String(values[entity.title_field ?? ''] ?? ''), body, form: { values, lines, touched: [...touched.current] }, keysOf, from: from.current } }))) { forget(place); return 'waits' }
      if (e instanceof Problem) key.current = crypto.randomUUID()
      return refuse(e instanceof Problem ? placeErrors(e.errors, keysOf) : {}, messageOf(e))
    } finally { setBusy(false) }
  }
  const shown = new Set(rows.flat().map((f) => f.name))
  const known = (k: string) => shown.has(k) || entity.lines.some((l) => new RegExp(`^${l.name}\\.[^.]+\\.[^.]+$`).test(k))
  return {
    rows, busy, save,
    fields: { values, errors, onChange: (n, v) => { touched.current.add(n); setValues((old) => ({ ...old, [n]: v })); setErrors((old) => without(old, n)) } },
    others: { message: Object.keys(errors).some(known) ? '' : message, errors, known },
    reset: (keep) => {
      key.current = crypto.randomUUID(); from.current = undefined
      if (!keep) { touched.current.clear(); setValues(fresh) }
      setLines({}); setErrors({}); setMessage(''); setRound((n) => n + 1)
    },
    leave: () => forget(place),
    lines: (Heading) => entity.lines.map((l, i) => {
      const m = metas[i]?.data
      return (
        <section key={`${l.name}${round}`} className="mt-6" aria-label={l.label ?? m?.plural ?? l.name}>
          <Heading className="m-0 mb-1 text-2xs font-semibold text-faint">{l.label ?? m?.plural}</Heading>
          {m ? <LinesEditor meta={m} fk={l.fk} name={l.name} rows={lines[l.name] ?? []} onChange={(r) => setLines((old) => ({ ...old, [l.name]: r }))} errors={errors} parent={values} locked={false} /> : <Skeleton rows={2} />}
        </section>
      )
    }),
  }
}
