import './doc.css'
import { useQuery } from '@tanstack/react-query'
import { clsx } from 'clsx'
import { useEffect, useImperativeHandle, useRef, useState } from 'react'
import { useTranslation } from 'react-i18next'
import * as records from '@/api/records'
import { fieldOf, listFields, titleOf } from '@/meta/hooks'
import { Failure, Skeleton } from '@/ui/basics'
import type { ViewProps } from '../kind'
import { Page } from './page'

/** Records as documents: their titles at the side, the text of one as a page to write on together. */
export default function DocView({ entity, by, params, openId, handle, onOpen, onEscape }: ViewProps) {
  const { t } = useTranslation()
  const field = by.text!
  const list = useRef<HTMLDivElement>(null)
  const [at, setAt] = useState<string | null>(null)
  const asked: records.ListParams = { ...params, fields: listFields(entity, [fieldOf(entity, entity.title_field ?? '')].filter((f) => !!f)), limit: 200, count: 'none' }
  const { data, error, refetch } = useQuery({ queryKey: ['rows', entity.name, { doc: asked }], staleTime: 20_000, queryFn: ({ signal }) => records.list(entity.name, asked, signal) })
  const rows = data?.data ?? []
  const row = rows.find((r) => r.id === (at ?? openId)) ?? rows[0]
  useEffect(() => { if (row && !at) setAt(row.id) }, [row?.id])
  const go = (i: number) => { const r = rows[Math.max(0, Math.min(rows.length - 1, i))]; if (r) { setAt(r.id); requestAnimationFrame(() => list.current?.querySelector<HTMLElement>(`[data-row="${r.id}"]`)?.focus()) } }
  useImperativeHandle(handle, () => ({ focus: () => list.current?.querySelector<HTMLElement>('[tabindex="0"]')?.focus(), step: (id, way) => rows[rows.findIndex((r) => r.id === id) + way] }))
  if (error) return <div className="flex-1"><Failure error={error} retry={() => void refetch()} /></div>
  if (!data || !row) return <Skeleton rows={8} />
  return (
    <div className="flex-1 min-h-0 flex max-md:flex-col doc-view">
      <div ref={list} role="listbox" aria-label={entity.plural} className="doc-list no-print" onKeyDown={(e) => { const i = rows.indexOf(row); const f = ({ ArrowDown: () => go(i + 1), ArrowUp: () => go(i - 1), Home: () => go(0), End: () => go(rows.length - 1), Enter: () => document.querySelector<HTMLElement>('.doc-words [role=textbox]')?.focus(), o: () => onOpen(row), Escape: onEscape } as Record<string, () => void>)[e.key]; if (f) { e.preventDefault(); e.stopPropagation(); f() } }}>
        {rows.map((r) => <div key={r.id} role="option" data-row={r.id} tabIndex={r === row ? 0 : -1} aria-selected={r === row} className={clsx('item', r === row && 'bg-sel')} onClick={() => setAt(r.id)} onKeyDown={() => {}}><span className="truncate">{titleOf(entity, r)}</span></div>)}
        {data.next && <p className="m-0 px-2 py-1 text-xs text-muted">{t('doc.cut')}</p>}
      </div>
      <Page key={`${row.id}${field.name}`} entity={entity} field={field} row={row} onOpen={() => onOpen(row)} />
    </div>
  )
}
