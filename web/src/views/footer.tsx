import { lazy, Suspense } from 'react'
import { useTranslation } from 'react-i18next'
import { withWords } from '@/i18n'
import { formatNumber, useLocale } from '@/lib/format'
import type { Condition, Entity, Field } from '@/meta/types'
import { REACH } from './rows'

const TotalsLine = lazy(() => withWords(() => import('./totals-row').then((m) => ({ default: m.TotalsLine }))))

export function Footer({ entity, columns, totals, filter, q, count, cards }: { entity: Entity; columns: Field[]; totals: Record<string, string> | undefined; filter: Condition | undefined; q: string | undefined; count: { value: number; exact: boolean } | null; cards: boolean }) {
  const { t } = useTranslation()
  const locale = useLocale()
  return (
    <div className="@container flex items-center gap-4 h-9 px-4 border-t border-line text-muted text-xs flex-none overflow-hidden whitespace-nowrap">
      <span className="num">{count ? `${count.exact === false ? '≈ ' : ''}${t('records', { count: count.value, n: formatNumber(count.value, locale) })}` : '…'}</span>
      {count && count.value > REACH && <span>{t('reach', { n: formatNumber(REACH, locale) })}</span>}
      {cards && <Suspense fallback={null}><TotalsLine entity={entity} columns={columns} totals={totals} filter={filter} q={q} /></Suspense>}
      <span className="flex-1" />
      <span className="hidden @min-[880px]:flex gap-4" aria-hidden="true">
        <span><kbd className="kbd">↵</kbd> {t('hint.edit')}</span><span><kbd className="kbd">O</kbd> {t('hint.open')}</span><span><kbd className="kbd">Space</kbd> {t('hint.select')}</span>
      </span>
    </div>
  )
}
