import './review.css'
import { useQuery } from '@tanstack/react-query'
import { clsx } from 'clsx'
import { ChevronLeft, ChevronRight, ExternalLink, Paperclip } from 'lucide-react'
import { createElement, useEffect, useId, useImperativeHandle, useMemo, useRef, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { fileUrl, type StoredFile } from '@/api/files'
import { get } from '@/api/http'
import * as records from '@/api/records'
import { currencyOf, isEmpty, typeOf } from '@/fields/registry'
import { useLocale } from '@/lib/format'
import { listFields, titleOf } from '@/meta/hooks'
import type { Entity, Field, Row } from '@/meta/types'
import { ActionBar } from '@/record/actions'
import { formRows } from '@/record/draft'
import { recordQuery } from '@/record/view'
import { Chip, Empty, Failure, Skeleton } from '@/ui/basics'
import type { ViewProps } from '../kind'
import { useRows } from '../rows'
import { actionAt, placeAfter } from './keys'

/** One record after the other: what hangs on it beside what it says, and what may be done with it by one key. */
export default function Review({ entity, columns, params: asked, handle, onOpen, onEscape }: ViewProps) {
  const { t } = useTranslation()
  const box = useRef<HTMLDivElement>(null)
  const hint = useId()
  const [at, setAt] = useState(0)
  const [current, setCurrent] = useState<string>()
  const params = useMemo(() => ({ ...asked, fields: listFields(entity, columns) }), [asked, entity, columns])
  const rows = useRows(entity.name, params, 0, Math.max(at + 20, 40), true)
  const total = rows.total
  // What was done has left the list: the one that took its place is next.
  useEffect(() => { setAt((i) => placeAfter(i, total)) }, [total])
  const row = rows.row(at)
  useEffect(() => { if (row) setCurrent(row.id) }, [row?.id])
  const go = (by: number) => setAt((i) => Math.max(0, Math.min(total - 1, i + by)))
  const focus = () => box.current?.focus()
  useImperativeHandle(handle, () => ({ focus, step: (id, by) => { for (let i = 0; i < total; i++) if (rows.row(i)?.id === id) return rows.row(i + by); return undefined } }))
  const keys = (e: React.KeyboardEvent) => {
    const buttons = [...(box.current?.querySelectorAll<HTMLButtonElement>('[data-actions] button:not([aria-haspopup])') ?? [])]
    const n = actionAt(e.key, buttons.length, e)
    if (n !== undefined) { e.preventDefault(); buttons[n]!.click(); return }
    if (e.target !== box.current && !(e.target as HTMLElement).closest('[data-queue]')) return
    const does: Record<string, () => void> = { ArrowDown: () => go(1), ArrowUp: () => go(-1), j: () => go(1), k: () => go(-1), o: () => row && onOpen(row), Enter: () => row && onOpen(row), Escape: onEscape }
    const f = does[e.key]
    if (!f) return
    e.preventDefault(); e.stopPropagation()
    f()
  }
  if (rows.error) return <Failure error={rows.error} retry={rows.retry} />
  if (!total && !rows.loading) return <Empty title={t('review.none')} text={t('review.noneText')} />
  const shown = row?.id ?? current
  return (
    <div ref={box} role="group" tabIndex={0} className="rv" aria-label={t('review.label', { name: entity.plural })} aria-describedby={hint} onKeyDown={keys}>
      <ol className="rv-queue" data-queue aria-label={t('review.queue')}>
        {Array.from({ length: Math.min(total, Math.max(at + 20, 40)) }, (_, i) => rows.row(i)).map((r, i) => r && (
          <li key={r.id}><button type="button" className={clsx('rv-item', i === at && 'on')} aria-current={i === at || undefined} onClick={() => setAt(i)}>
            <span className="truncate font-medium">{titleOf(entity, r)}</span>
            <Brief entity={entity} row={r} columns={columns} />
          </button></li>
        ))}
      </ol>
      <nav className="rv-steps" aria-label={t('review.queue')}>
        <button type="button" className="btn icon" disabled={at === 0} aria-label={t('review.before')} onClick={() => go(-1)}><ChevronLeft size={16} /></button>
        <span className="num text-muted">{t('review.place', { n: total ? at + 1 : 0, total })}</span>
        <button type="button" className="btn icon" disabled={at >= total - 1} aria-label={t('review.after')} onClick={() => go(1)}><ChevronRight size={16} /></button>
      </nav>
      {shown ? <One key={shown} entity={entity} id={shown} onOpen={onOpen} onDone={focus} /> : <Skeleton rows={8} />}
      <p id={hint} className="visually-hidden">{t('review.hint')}</p>
    </div>
  )
}

function Brief({ entity, row, columns }: { entity: Entity; row: Row; columns: Field[] }) {
  const locale = useLocale()
  const told = ['relation', 'money'].flatMap((type) => columns.find((f) => f.type === type && f.name !== entity.title_field && !isEmpty(row[f.name])) ?? [])
  return <span className="rv-brief">{told.map((f) => <span key={f.name} className="truncate">{createElement(typeOf(f).Cell, { field: f, value: row[f.name], record: row, locale, currency: currencyOf(f, row), plain: true })}</span>)}</span>
}

function One({ entity, id, onOpen, onDone }: { entity: Entity; id: string; onOpen: (r: Row) => void; onDone: () => void }) {
  const { t } = useTranslation()
  const locale = useLocale()
  const { data: row, error, refetch } = useQuery(recordQuery(entity, id))
  if (error && !row) return <Failure error={error} retry={() => void refetch()} />
  if (!row) return <Skeleton rows={8} />
  const state = entity.states?.options.find((o) => o.id === row[entity.states!.field])
  // What was entered; of what follows by itself, what is not nothing.
  const fields = formRows(entity, true).flat().filter((f) => f.name !== entity.title_field && f.name !== entity.states?.field && !isEmpty(row[f.name]) && (!f.readonly || Number(row[f.name]) !== 0))
  return (
    <>
      <Pictures entity={entity.name} id={id} />
      <section className="rv-facts" aria-label={titleOf(entity, row)}>
        <div className="flex items-center gap-2 flex-wrap">
          <h2 className="m-0 text-lg font-semibold">{titleOf(entity, row)}</h2>
          {state && <Chip option={state} />}
          <button type="button" className="btn ghost icon sm ms-auto" aria-label={t('open')} onClick={() => onOpen(row)}><ExternalLink size={14} /></button>
        </div>
        <div className="rv-actions"><ActionBar entity={entity} row={row} dirty={false} max={6} onDone={() => { records.refresh(entity.name); onDone() }} /></div>
        <dl className="rv-dl">
          {fields.map((f) => (
            <div key={f.name} className="contents"><dt className="text-muted">{f.label}</dt><dd className="m-0 num">{createElement(typeOf(f).Cell, { field: f, value: row[f.name], record: row, locale, currency: currencyOf(f, row), link: true, whole: true })}</dd></div>
          ))}
        </dl>
      </section>
    </>
  )
}

/** What hangs on a record: pictures to look at, the rest to open. */
function Pictures({ entity, id }: { entity: string; id: string }) {
  const { t } = useTranslation()
  const [close, setClose] = useState(false)
  const { data, error, isPending, refetch } = useQuery({ queryKey: ['files', entity, id], queryFn: () => get<{ data: StoredFile[] }>('/files', { entity, record: id }).then((r) => r.data ?? []) })
  return (
    <section className="rv-files" aria-label={t('record.files')}>
      {error ? <Failure error={error} retry={() => void refetch()} /> : isPending ? <Skeleton rows={6} /> : data.length === 0 ? <Empty title={t('review.noFile')} text={t('review.noFileText')} /> : data.map((f) => (
        <figure key={f.id} className="m-0">
          {f.type.startsWith('image/')
            ? <button type="button" className={clsx('rv-picture', close && 'close')} aria-pressed={close} aria-label={t('review.closer', { name: f.name })} onClick={() => setClose(!close)}><img src={fileUrl(f.id)} alt={f.name} /></button>
            : <div className="rv-paper"><Paperclip size={28} aria-hidden="true" /></div>}
          <figcaption className="text-xs text-muted"><a className="rv-link" href={fileUrl(f.id)} target="_blank" rel="noreferrer">{f.name}</a></figcaption>
        </figure>
      ))}
    </section>
  )
}
