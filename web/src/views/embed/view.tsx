import { useQuery } from '@tanstack/react-query'
import { clsx } from 'clsx'
import { ExternalLink, PanelRightOpen, RotateCw } from 'lucide-react'
import { useEffect, useImperativeHandle, useMemo, useRef, useState } from 'react'
import { useTranslation } from 'react-i18next'
import * as records from '@/api/records'
import { listFields, titleOf } from '@/meta/hooks'
import { Empty, Failure, Skeleton } from '@/ui/basics'
import type { ViewProps } from '../kind'
import { both } from '../pivot/cube'
import { mayFrame, safeUrl } from './allowed'

const policy = { queryKey: ['frame-policy'], staleTime: Infinity, retry: false, queryFn: () => fetch(location.pathname, { method: 'HEAD' }).then((r) => r.headers.get('content-security-policy') ?? '') }

/** Pages that records name, beside the records that name them. */
export default function Embed({ entity, by, params, handle, onOpen, onEscape }: ViewProps) {
  const { t } = useTranslation()
  const field = by.url!
  const list = useRef<HTMLDivElement>(null)
  const [at, setAt] = useState<string | null>(null)
  const [again, setAgain] = useState(0)
  const [refused, setRefused] = useState(false)
  const asked: records.ListParams = { ...params, filter: both(params.filter, [{ field: field.name, operator: 'is_not_empty' }]) ?? null, fields: listFields(entity, [field]), limit: 200, count: 'none' }
  const { data, error, refetch } = useQuery({ queryKey: ['rows', entity.name, { embed: asked }], staleTime: 20_000, queryFn: ({ signal }) => records.list(entity.name, asked, signal) })
  const { data: said } = useQuery(policy)
  const rows = data?.data ?? []
  const row = rows.find((r) => r.id === at) ?? rows[0]
  const url = useMemo(() => safeUrl(row?.[field.name]), [row, field])
  useEffect(() => {
    setRefused(false)
    const heard = (e: SecurityPolicyViolationEvent) => { if (/^(frame|child|default)-src/.test(e.effectiveDirective)) setRefused(true) }
    document.addEventListener('securitypolicyviolation', heard)
    return () => document.removeEventListener('securitypolicyviolation', heard)
  }, [url])
  const go = (i: number) => { const r = rows[Math.max(0, Math.min(rows.length - 1, i))]; if (r) { setAt(r.id); requestAnimationFrame(() => list.current?.querySelector<HTMLElement>(`[data-row="${r.id}"]`)?.focus()) } }
  useImperativeHandle(handle, () => ({ focus: () => list.current?.querySelector<HTMLElement>('[tabindex="0"]')?.focus(), step: (id, way) => rows[rows.findIndex((r) => r.id === id) + way] }))
  if (error) return <div className="flex-1"><Failure error={error} retry={() => void refetch()} /></div>
  if (!data || said === undefined) return <Skeleton rows={8} />
  if (!row) return <Empty title={t('embed.none', { name: field.label })} text={t('embed.noneText')} />
  const link = url && <a className="btn" href={url} target="_blank" rel="noreferrer noopener"><ExternalLink size={14} />{t('embed.elsewhere')}</a>
  const forbidden = url && (refused || !mayFrame(said, url))
  return (
    <div className="flex-1 min-h-0 flex max-md:flex-col">
      <div ref={list} role="listbox" aria-label={entity.plural} className="flex-none w-[230px] overflow-auto p-2 border-e border-line max-md:w-full max-md:max-h-[30%]" onKeyDown={(e) => { const i = rows.indexOf(row); const f = ({ ArrowDown: () => go(i + 1), ArrowUp: () => go(i - 1), Home: () => go(0), End: () => go(rows.length - 1), Enter: () => onOpen(row), Escape: onEscape } as Record<string, () => void>)[e.key]; if (f) { e.preventDefault(); e.stopPropagation(); f() } }}>
        {rows.map((r) => <div key={r.id} role="option" data-row={r.id} tabIndex={r === row ? 0 : -1} aria-selected={r === row} className={clsx('item', r === row && 'bg-sel')} onClick={() => setAt(r.id)} onKeyDown={() => {}}><span className="truncate">{titleOf(entity, r)}</span></div>)}
      </div>
      <div className="flex-1 min-w-0 min-h-0 flex flex-col">
        <div className="flex items-center gap-2 px-3 py-1.5 border-b border-line flex-none">
          <span className="truncate flex-1 text-muted">{String(row[field.name] ?? '')}</span>
          {url && !forbidden && <button type="button" className="btn ghost icon sm" aria-label={t('embed.reload')} title={t('embed.reload')} onClick={() => setAgain((n) => n + 1)}><RotateCw size={14} /></button>}
          <button type="button" className="btn ghost icon sm" aria-label={t('embed.record', { name: titleOf(entity, row) })} title={t('embed.record', { name: titleOf(entity, row) })} onClick={() => onOpen(row)}><PanelRightOpen size={14} /></button>
          {url && !forbidden && <a className="btn ghost icon sm" href={url} target="_blank" rel="noreferrer noopener" aria-label={t('embed.elsewhere')} title={t('embed.elsewhere')}><ExternalLink size={14} /></a>}
        </div>
        {!url ? <Empty title={t('embed.unsafe')} text={t('embed.unsafeText')} />
          : forbidden ? <Empty title={t('embed.forbidden')} text={t('embed.forbiddenText')}>{link}</Empty>
            : <iframe key={`${url}${again}`} title={t('embed.page', { name: titleOf(entity, row) })} src={url} className="flex-1 border-0 bg-white" sandbox="allow-scripts allow-forms allow-popups" referrerPolicy="no-referrer" loading="lazy" />}
      </div>
    </div>
  )
}
