import './group.css'
import { clsx } from 'clsx'
import { ChevronRight } from 'lucide-react'
import { useEffect, useImperativeHandle, useMemo, useRef, useState } from 'react'
import { useTranslation } from 'react-i18next'
import type * as records from '@/api/records'
import { typeOf } from '@/fields/registry'
import { formatDate, formatNumber, useLocale, type Locale } from '@/lib/format'
import type { Condition } from '@/meta/types'
import { Failure } from '@/ui/basics'
import { Grid, SELECT_WIDTH, type GridProps, type HeadProps } from '../grid'
import type { ViewHandle } from '../state'
import { sumText, totalsOf, type Wanted } from '../totals'
import { levelsOf, type Level } from './state'
import { MOST, useGroups, type Node } from './use'

interface Props extends Omit<GridProps, 'total' | 'row' | 'range' | 'onRange' | 'groups'> { group: string[]; totals: Record<string, string> | undefined; params: records.ListParams; filter: Condition | undefined; q: string | undefined }

/** A table in groups, up to three deep. Of a group only its head is known until it is opened; its rows come page by page. */
export default function GroupedGrid({ group, totals, params, filter, q, handle, ...p }: Props) {
  const groupKey = group.join()
  const levels = useMemo(() => levelsOf(p.entity, group), [p.entity, groupKey])
  const wanted = totalsOf(p.entity, p.columns, totals)
  const { t } = useTranslation()
  const locale = useLocale()
  const [open, setOpen] = useState<Set<string>>(new Set())
  const [[first, last], setRange] = useState<[number, number]>([0, 60])
  const { segmentAt, segments, total, row, range, heads, error, retry } = useGroups({ entity: p.entity, levels, params, filter, q, wanted, sort: p.sort, locale, first, last, open })
  const toggle = (i: number, to?: boolean) => {
    const s = segmentAt(i)
    if (!s?.head) return
    const next = new Set(open)
    if (to ?? !next.has(s.node.key)) next.add(s.node.key); else next.delete(s.node.key)
    setOpen(next)
  }
  useEffect(() => setOpen(new Set()), [levels])
  const inner = useRef<ViewHandle>(null)
  useImperativeHandle(handle, () => ({
    focus: () => inner.current?.focus(), step: (id, by) => inner.current?.step?.(id, by),
    // What can be seen is opened: a whole tree would be everything at once.
    openAll: (to) => setOpen(to ? new Set([...open, ...segments.filter((s) => s.head).slice(0, 200).map((s) => s.node.key)]) : new Set()),
  }))
  if (error) return <Failure error={error} retry={retry} />
  const cut = heads && heads.length >= MOST
  return (
    <>
      {cut && <div className="px-4 py-1.5 text-xs text-muted border-b border-line" role="status">{t('group.cut', { n: formatNumber(MOST, locale) })}</div>}
      <Grid {...p} handle={inner} total={heads ? total : 14} row={row} range={range} onRange={(a, b) => setRange((old) => (a >= old[0] && b <= old[1] && old[1] - old[0] < 160 ? old : [Math.max(0, a - 30), b + 30]))}
        groups={{ levels: levels.length, open: (i) => { const s = segmentAt(i); return s?.head ? open.has(s.node.key) : undefined }, toggle, renderHead: (x) => { const s = segmentAt(x.index)!; return <Head key={x.index} {...x} node={s.node} open={open.has(s.node.key)} wanted={wanted} locale={locale} onToggle={() => toggle(x.index)} /> } }} />
    </>
  )
}

export function GroupTitle({ node: { level: { field, step }, value, title }, locale }: { node: Pick<Node, 'level' | 'value' | 'title'>; locale: Locale }) {
  const { t } = useTranslation()
  if (value === null || value === '') return <span className="text-muted">{t('group.none')}</span>
  if (title !== undefined) return <span className="txt">{title}</span>
  if (step) return <span className="txt">{spanText(String(value), step, locale, t)}</span>
  const { Cell } = typeOf(field)
  return <Cell field={field} value={value} record={{}} locale={locale} plain />
}
function spanText(start: string, step: NonNullable<Level['step']>, l: Locale, t: (k: string, o: Record<string, unknown>) => string): string {
  const d = new Date(start.slice(0, 10) + 'T00:00:00Z')
  if (step === 'year') return String(d.getUTCFullYear())
  if (step === 'quarter') return t('group.quarter', { n: Math.floor(d.getUTCMonth() / 3) + 1, year: d.getUTCFullYear() })
  if (step === 'month') { const s = new Intl.DateTimeFormat(l.locale, { month: 'long', year: 'numeric', timeZone: 'UTC' }).format(d); return s[0]!.toUpperCase() + s.slice(1) }
  return step === 'week' ? t('group.week', { day: formatDate(start, l) }) : formatDate(start, l)
}

/** The head of a group: what it is, how many, and its sums under their columns. */
function Head({ index, top, height, id, whole, widths, columns, active, cards, node, open, wanted, locale, onToggle }: HeadProps & { node: Node; open: boolean; wanted: Wanted[]; locale: Locale; onToggle: () => void }) {
  const { t } = useTranslation()
  // The name has the room before the first sum.
  const sumsAt = columns.map((f) => wanted.find((w) => w.field === f))
  const firstSum = sumsAt.findIndex((w, c) => w && c > 0)
  const until = cards ? columns.length : firstSum < 0 ? columns.length : firstSum
  const wide = SELECT_WIDTH + widths.slice(0, until).reduce((n, w) => n + w, 0)
  const first = sumsAt[0]
  const text = (w: Wanted) => sumText(w, node.sums, locale)
  const money = cards ? wanted.find((w) => w.fn === 'sum') : undefined
  return (
    <div className={clsx('g-row g-group', active && 'active')} role="row" aria-rowindex={index + 2} aria-level={node.path.length} aria-expanded={open} style={{ top, width: cards ? '100%' : whole, minWidth: '100%', height }} onClick={onToggle} onKeyDown={() => {}}>
      <div id={id} role="gridcell" aria-colindex={1} aria-colspan={until + 1} className="g-cell g-group-name" style={{ width: cards ? undefined : wide, flex: cards ? 1 : undefined, paddingInlineStart: 12 + (node.path.length - 1) * 20 }}>
        <ChevronRight size={14} className={clsx('flex-none text-muted', open ? 'rotate-90' : 'rtl:rotate-180')} aria-hidden="true" />
        <span className="text-faint text-xs flex-none max-md:hidden">{node.level.field.label}</span>
        <span className="flex min-w-0 font-medium"><GroupTitle node={node} locale={locale} /></span>
        <span className="num text-muted text-xs flex-none" data-count={node.sums.count}>{formatNumber(node.sums.count, locale)}</span>
        {first && !cards && <span className="num text-muted text-xs txt">{t(`totals.${first.fn}`)} {text(first)}</span>}
      </div>
      {money && <div role="gridcell" className="g-cell num" style={{ border: 0, paddingInlineEnd: 16 }}>{text(money)}</div>}
      {!cards && columns.slice(until).map((f, i) => { const w = sumsAt[until + i]; return <div key={f.name} role="gridcell" aria-colindex={until + i + 2} className={clsx('g-cell num', typeOf(f).align)} style={{ width: widths[until + i] }} data-sum={w ? f.name : undefined} title={w && `${t(`totals.${w.fn}`)}: ${text(w)}`}>{w && <span className="txt">{w.fn !== 'sum' && <span className="text-muted text-xs">{t(`totals.${w.fn}`)} </span>}{text(w)}</span>}</div> })}
    </div>
  )
}
