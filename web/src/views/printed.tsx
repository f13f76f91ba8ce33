import { useEffect, useRef, useState } from 'react'
import { createPortal, flushSync } from 'react-dom'
import { useTranslation } from 'react-i18next'
import { messageOf } from '@/api/http'
import type * as records from '@/api/records'
import { queryClient } from '@/api/session'
import { PrintTop, usePrinting } from '@/app/print'
import { typeOf } from '@/fields/registry'
import { formatNumber, useLocale } from '@/lib/format'
import { useKeys } from '@/lib/keys'
import { toast } from '@/lib/toast'
import type { Entity, Field, Row } from '@/meta/types'
import { PAGE, pageQuery } from './rows'

/** Views that draw only what is in sight: on paper they are tables. The others print as they stand. */
const AS_TABLE = ['table', 'list', 'board', 'gallery', 'tree', 'portfolio']
/** What the menu's entry fetches before it prints. */
const MOST = 1_000

interface Props { entity: Entity; columns: Field[]; params: records.ListParams; kind: string; by: Field | undefined; view: string | undefined }

/** In groups the rows stand group by group. */
const orderOf = ({ params, kind, by }: Props): records.ListParams => (by && kind === 'table' ? { ...params, sort: [by.name, params.sort].filter(Boolean).join(',') } : params)

function loaded(props: Props): Row[] {
  const { entity, kind } = props
  const cache = queryClient.getQueryCache()
  const found: Row[] = []
  if (kind === 'board') {
    for (const q of cache.findAll({ queryKey: ['board', entity.name], type: 'active' })) found.push(...((q.state.data as { pages?: records.Page[] } | undefined)?.pages ?? []).flatMap((p) => p.data ?? []))
  } else {
    const all = cache.findAll({ queryKey: ['rows', entity.name], predicate: (q) => q.state.data !== undefined })
    const same = JSON.stringify(orderOf(props))
    const whole = all.filter((q) => JSON.stringify(q.queryKey[2]) === same).sort((a, b) => Number(a.queryKey[3]) - Number(b.queryKey[3]))
    // Groups and trees ask for their own parts; of those what is on the screen.
    for (const q of whole.length ? whole : all.filter((x) => x.isActive())) found.push(...((q.state.data as records.Page | undefined)?.data ?? []))
  }
  return [...new Map(found.map((r) => [r.id, r])).values()]
}

export default function Printed(props: Props) {
  const { entity, columns, params, kind, by, view } = props
  const { t } = useTranslation()
  const locale = useLocale()
  const on = usePrinting()
  const n = (x: number) => formatNumber(x, locale)
  // The entry of the menu: more rows first, as many as are reasonable on paper.
  const [, again] = useState(0)
  const now = useRef(props)
  now.current = props
  useEffect(() => {
    const f = async () => {
      const { entity: e, kind: k } = now.current
      const p = orderOf(now.current)
      try {
        if (['table', 'list', 'gallery'].includes(k)) for (let page = 0; page * PAGE < MOST; page++) if ((await queryClient.ensureQueryData(pageQuery(e.name, p, page))).data.length < PAGE) break
      } catch (x) { toast.error(messageOf(x)) }
      flushSync(() => again((i) => i + 1))
      // A view may have a sheet of its own.
      if (dispatchEvent(new Event('fondaco:paper', { cancelable: true }))) print()
    }
    const asked = () => void f()
    addEventListener('fondaco:print', asked)
    return () => removeEventListener('fondaco:print', asked)
  }, [])
  useKeys({ 'mod+p': () => dispatchEvent(new Event('fondaco:print')) })
  if (!on || !AS_TABLE.includes(kind) || document.body.classList.contains('print-one')) return null
  const rows = loaded(props)
  const shown = columns.filter((f) => kind !== 'board' || rows.some((r) => r[f.name] !== undefined))
  const count = queryClient.getQueryData<{ value: number } | null>(['count', entity.name, { filter: params.filter, q: params.q }])?.value ?? rows.length
  const groups = new Map<string, Row[]>()
  for (const r of rows) { const k = by ? JSON.stringify(r[by.name] ?? null) : ''; groups.set(k, [...(groups.get(k) ?? []), r]) }
  const Heading = by && typeOf(by).Cell
  return createPortal(
    <div className={shown.length > 7 ? 'print-page wide' : 'print-page'}>
      <PrintTop title={view ? `${entity.plural}: ${view}` : entity.plural} />
      <table>
        <thead><tr>{shown.map((f) => <th key={f.name} scope="col" className={typeOf(f).align}>{f.label}</th>)}</tr></thead>
        {[...groups].map(([k, of]) => (
          <tbody key={k}>
            {Heading && <tr><th scope="rowgroup" colSpan={shown.length}>{of[0]![by.name] === null ? '—' : <Heading field={by} value={of[0]![by.name]} record={of[0]!} locale={locale} plain />} · {n(of.length)}</th></tr>}
            {of.map((r) => <tr key={r.id}>{shown.map((f) => { const { Cell, align } = typeOf(f); return <td key={f.name} className={align}><Cell field={f} value={r[f.name]} record={r} locale={locale} plain whole /></td> })}</tr>)}
          </tbody>
        ))}
      </table>
      <p>{t('print.rows', { shown: n(rows.length), total: n(Math.max(count, rows.length)) })}</p>
    </div>, document.body)
}
