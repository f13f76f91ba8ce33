import { useQuery } from '@tanstack/react-query'
import { clsx } from 'clsx'
import { useTranslation } from 'react-i18next'
import { typeOf } from '@/fields/registry'
import { useLocale } from '@/lib/format'
import type { Condition, Entity, Field } from '@/meta/types'
import { Menu } from '@/ui/basics'
import { functionsOf, sums, sumText, totalsOf } from './totals'

interface Of { entity: Entity; columns: Field[]; totals: Record<string, string> | undefined; filter: Condition | undefined; q: string | undefined }
function useTotals({ entity, columns, totals, filter, q }: Of) {
  const wanted = totalsOf(entity, columns, totals)
  const { data } = useQuery({
    queryKey: ['sums', entity.name, { under: wanted.map((w) => [w.field.name, w.fn]), filter, q }], enabled: wanted.length > 0, staleTime: 20_000, retry: false,
    queryFn: async () => (await sums(entity, wanted, [], filter, q)).of({}),
  })
  return { wanted, data }
}

/** Under the columns, what was chosen for each. */
export default function TotalsRow({ widths, whole, lefts, index, onChange, ...of }: Of & { widths: number[]; whole: number; lefts: number[]; index: number; onChange: (name: string, fn: string) => void }) {
  const { t } = useTranslation()
  const locale = useLocale()
  const { wanted, data } = useTotals(of)
  if (!wanted.length) return null
  return (
    <div className="g-totals" role="row" aria-rowindex={index} style={{ width: whole, minWidth: '100%' }}>
      <div role="gridcell" className="g-cell sel sticky" aria-colindex={1} style={{ width: 40, insetInlineStart: 0 }}><span className="visually-hidden">{t('totals.row')}</span></div>
      {of.columns.map((f, c) => {
        const w = wanted.find((x) => x.field === f)
        const text = w && sumText(w, data, locale)
        return (
          <div key={f.name} role="gridcell" aria-colindex={c + 2} data-total={f.name} className={clsx('g-cell', typeOf(f).align, c < lefts.length && 'sticky')} style={{ width: widths[c], ...(c < lefts.length ? { insetInlineStart: lefts[c] } : {}) }}>
            <Menu width={150} trigger={<button type="button" tabIndex={-1} className={clsx('g-total', !w && 'none')} title={w ? `${t(`totals.${w.fn}`)}: ${text}` : undefined}>{w ? <><span className="text-faint">{t(`totals.${w.fn}`)}</span><strong className="num">{text}</strong></> : t('totals.title')}</button>}
              items={['none', ...functionsOf(f)].map((fn) => ({ label: t(`totals.${fn}`), checked: (w?.fn ?? 'none') === fn, onSelect: () => onChange(f.name, fn) }))} />
          </div>
        )
      })}
    </div>
  )
}

/** The same in one line, where there are no columns. */
export function TotalsLine(of: Of) {
  const { t } = useTranslation()
  const locale = useLocale()
  const { wanted, data } = useTotals(of)
  return <>{wanted.slice(0, 3).map((w) => <span key={w.field.name} className="num truncate">{t(`totals.${w.fn}`)}, {w.field.label} <strong className="font-semibold text-fg">{sumText(w, data, locale)}</strong></span>)}</>
}
