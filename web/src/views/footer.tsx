import { useQuery } from '@tanstack/react-query'
import { useTranslation } from 'react-i18next'
import * as records from '@/api/records'
import { typeOf } from '@/fields/registry'
import { formatMoney, formatNumber, formatPercent, useLocale } from '@/lib/format'
import { fieldOf } from '@/meta/hooks'
import type { Condition, Entity, Field } from '@/meta/types'
import { REACH } from './rows'

export function Footer({ entity, columns, filter, q, count }: { entity: Entity; columns: Field[]; filter: Condition | undefined; q: string | undefined; count: { value: number; exact: boolean } | null }) {
  const { t } = useTranslation()
  const locale = useLocale()
  // Sums mean something over documents; a sum of list prices or of credit limits would only look like one.
  const summed = entity.document ? columns.filter((f) => typeOf(f).sum).slice(0, 3) : []
  // Money of different currencies is never added up: one sum for each.
  const by = summed.some((f) => f.type === 'money') ? ['currency', 'currency_code', 'currency_id'].map((n) => fieldOf(entity, n)).find((f) => f && f.type !== 'relation') : undefined
  const { data } = useQuery({
    queryKey: ['sums', entity.name, { filter, names: summed.map((f) => f.name), by: by?.name }], enabled: summed.length > 0 && !q, staleTime: 20_000, retry: false,
    queryFn: () => records.aggregate(entity.name, { group_by: by ? [by.name] : [], metrics: summed.map((f) => ({ function: typeOf(f).sum, field: f.name, as: f.name })), ...(filter ? { filter } : {}), limit: 20 }).then((r) => r.data),
  })
  const groups = q ? [] : data ?? []
  const show = (f: Field) => {
    if (f.type === 'money') return groups.filter((g) => g[f.name] !== null && g[f.name] !== undefined).slice(0, 3).map((g) => formatMoney(g[f.name], locale, by ? (g[by.name] as string | null) : null)).join(' · ')
    // A mean over groups would be a mean of means: shown only where there is one group.
    if (f.type === 'percent') return groups.length === 1 ? formatPercent(round(groups[0]![f.name]), locale) : ''
    if (groups.length !== 1) return ''
    return formatNumber(groups[0]![f.name], locale, { max: 2 })
  }
  return (
    <div className="@container flex items-center gap-4 h-9 px-4 border-t border-line text-muted text-xs flex-none overflow-hidden whitespace-nowrap">
      <span className="num">{count ? `${count.exact === false ? '≈ ' : ''}${t('records', { count: count.value, n: formatNumber(count.value, locale) })}` : '…'}</span>
      {count && count.value > REACH && <span>{t('reach', { n: formatNumber(REACH, locale) })}</span>}
      {summed.map((f) => { const v = show(f); return v ? <span key={f.name} className="num truncate">{f.type === 'percent' ? '⌀' : 'Σ'} {f.label} <strong className="font-semibold text-fg">{v}</strong></span> : null })}
      <span className="flex-1" />
      <span className="hidden @min-[880px]:flex gap-4" aria-hidden="true">
        <span><kbd className="kbd">↵</kbd> {t('hint.edit')}</span><span><kbd className="kbd">O</kbd> {t('hint.open')}</span><span><kbd className="kbd">Space</kbd> {t('hint.select')}</span>
      </span>
    </div>
  )
}
const round = (v: unknown): string => { const s = String(v ?? ''); const n = Number(s); return Number.isFinite(n) && s ? n.toFixed(1).replace(/\.0$/, '') : '' }
