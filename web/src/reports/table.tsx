import { Link } from '@tanstack/react-router'
import { clsx } from 'clsx'
import { ChevronRight } from 'lucide-react'
import { useEffect, useMemo, useRef, type KeyboardEvent, type ReactNode } from 'react'
import { useTranslation } from 'react-i18next'
import { formatDate, formatMoney, formatNumber, formatPercent, type Locale } from '@/lib/format'
import { useMeta } from '@/meta/hooks'
import { columnsOf, difference, lined, share, target, titleOf, type Answer, type Column, type Report, type Row, type Search, type Target } from './model'

const COUNTED = new Set(['money', 'percent', 'number', 'integer'])

interface Props {
  report: Report; words: Record<string, string>; answer: Answer; before: Answer | undefined; search: Search; locale: Locale
  /** Which rows are closed, and the one that somebody went away from. */
  shut: Set<string>; at: string | undefined
  onShut: (key: string) => void
  /** Before a figure is followed: where one comes back to. */
  onLeave: (key: string) => void
}

/** What a column stands beside: itself, what it was before, and what differs. */
type Shown = Column & { of: 'now' | 'was' | 'delta' }

export function ReportTable({ report, words, answer, before, search, locale, shut, at, onShut, onLeave }: Props) {
  const { t } = useTranslation()
  const { data: meta } = useMeta()
  const body = useRef<HTMLTableSectionElement>(null)
  const title = titleOf(report)
  const columns = useMemo(() => columnsOf(report, answer).flatMap((c): Shown[] => [{ ...c, of: 'now' }, ...(before && c.type === 'money' ? [{ ...c, of: 'was' as const }, { ...c, of: 'delta' as const }] : [])]), [report, answer, before])
  const rows = useMemo(() => lined(answer.rows, before?.rows, shut), [answer, before, shut])
  // Back from a figure: there it is again.
  useEffect(() => {
    const row = at ? body.current?.querySelector<HTMLElement>(`[data-key="${CSS.escape(at)}"]`) : null
    const figure = row?.querySelector<HTMLElement>('a,button') ?? null
    row?.scrollIntoView({ block: 'nearest' })
    figure?.focus({ preventScroll: true })
  }, [at, answer])

  const say = (c: Column, row: Row, value: unknown): string => {
    if (value === undefined || value === null) return ''
    const text = String(value)
    if (c.type === 'money') return formatMoney(text, locale, String(row.currency ?? answer.currency ?? locale.currency))
    if (c.type === 'percent') return formatPercent(text, locale)
    if (c.type === 'number' || c.type === 'integer') return formatNumber(text, locale, { max: 10 })
    if (c.type === 'date') return formatDate(text, locale)
    if (c.type === 'word') return words[text] ?? text
    if (c.type === 'entity') return meta?.entities[text]?.label ?? ''
    return text
  }
  const heading = (c: Shown): string => {
    if (c.of === 'delta') return t('reports.change')
    if (c.of === 'now' || !before) return c.label
    return before.from && before.to && report.compare === 'span' ? `${formatDate(before.from, locale)} – ${formatDate(before.to, locale)}` : formatDate(before.as_of, locale)
  }
  const keys = (e: KeyboardEvent) => {
    const now = (e.target as HTMLElement).closest<HTMLElement>('[data-c]')
    const list = [...(body.current?.querySelectorAll<HTMLElement>('tr:not([hidden]) [data-c] a, tr:not([hidden]) [data-c] button') ?? [])]
    if (!now || list.length === 0) return
    const here = list.indexOf(e.target as HTMLElement)
    const column = now.dataset.c
    const go = (to: HTMLElement | undefined) => { if (to) { e.preventDefault(); to.focus() } }
    const along = (step: number) => { for (let i = here + step; i >= 0 && i < list.length; i += step) if (list[i]!.closest<HTMLElement>('[data-c]')!.dataset.c === column && list[i]!.closest('tr') !== now.closest('tr')) return list[i]; return undefined }
    const rtl = document.documentElement.dir === 'rtl' ? -1 : 1
    if (e.key === 'ArrowDown') go(along(1) ?? list[here + 1])
    else if (e.key === 'ArrowUp') go(along(-1) ?? list[here - 1])
    else if (e.key === 'ArrowRight') go(list[here + rtl])
    else if (e.key === 'ArrowLeft') go(list[here - rtl])
    else if (e.key === 'Home') go(list.find((x) => x.tagName === 'A') ?? list[0])
    else if (e.key === 'End') go(list.at(-1))
  }
  // One figure is in the order of Tab; arrows go on from there.
  const entry = at ?? rows.find((r) => !r.hidden && target(report, r.row, title, answer, search, meta))?.row.key
  return (
    <table className={clsx('r-table', columns.length > 5 && 'wide', rows.some((r) => r.holds) && 'tree')}>
      <thead><tr>{columns.map((c) => <th key={c.name + c.of} scope="col" className={clsx(COUNTED.has(c.type) && 'end')}>{heading(c)}</th>)}</tr></thead>
      <tbody ref={body} onKeyDown={keys}>
        {rows.map(({ row, was, depth, holds, hidden }) => (
          <tr key={row.key} data-key={row.key} hidden={hidden} className={clsx(row.role)}>
            {columns.map((c) => {
              const isTitle = c.name === title && c.of === 'now'
              const lead = c.of === 'now' && (isTitle || COUNTED.has(c.type) || report.drill?.some((d) => d.column === c.name)) ? target(report, row, c.name, answer, search, meta) : null
              const shown = c.of === 'delta' ? <Delta now={row[c.name]} was={was?.[c.name]} say={(v) => say(c, row, v)} locale={locale} /> : say(c, row, c.of === 'was' ? was?.[c.name] : row[c.name]) || (isTitle && row.word ? words[row.word] ?? row.word : '')
              const inner = lead && shown !== '' ? <To target={lead} tabIndex={isTitle && row.key === entry ? 0 : -1} onLeave={() => onLeave(row.key)}>{shown}</To> : shown
              if (isTitle) return (
                <th key={c.name} scope="row" data-c={c.name} className="r-title" style={{ '--depth': depth } as React.CSSProperties}>
                  {holds && <button type="button" className="r-fold" aria-expanded={!shut.has(row.key)} aria-label={t(shut.has(row.key) ? 'reports.open' : 'reports.shut', { name: say(c, row, row[c.name]) || words[row.word ?? ''] })} onClick={() => onShut(row.key)}><ChevronRight size={13} aria-hidden="true" /></button>}
                  {inner}
                </th>
              )
              return <td key={c.name + c.of} data-c={c.name + c.of} data-label={heading(c)} data-empty={shown === '' || undefined} className={clsx(COUNTED.has(c.type) && 'end num', c.of !== 'now' && 'r-was', c.type === 'money' && c.of === 'now' && 'r-money')}>{inner}</td>
            })}
          </tr>
        ))}
      </tbody>
    </table>
  )
}

/** How much more or less, and in parts of a hundred. */
function Delta({ now, was, say, locale }: { now: unknown; was: unknown; say: (v: string) => string; locale: Locale }) {
  if ((now === undefined || now === null) && (was === undefined || was === null)) return null
  const delta = difference(now, was)
  const part = share(delta, was)
  return <>{Number(delta) > 0 && '+'}{say(delta)}{part !== null && Number(delta) !== 0 && <span className="r-part">{part > 0 && '+'}{formatPercent(part.toFixed(Math.abs(part) < 10 ? 1 : 0), locale)}</span>}</>
}

function To({ target, tabIndex, onLeave, children }: { target: Target; tabIndex: number; onLeave: () => void; children: ReactNode }) {
  const p = { className: 'r-to', tabIndex, onClick: onLeave, preload: false as const }
  if (target.to === 'record') return <Link {...p} to="/o/$entity/r/$id" params={{ entity: target.entity, id: target.id }} search={{}}>{children}</Link>
  if (target.to === 'list') return <Link {...p} to="/o/$entity" params={{ entity: target.entity }} search={{ filter: target.filter }}>{children}</Link>
  return <Link {...p} to="/reports/$module/$name" params={{ module: target.module, name: target.name }} search={target.search}>{children}</Link>
}
