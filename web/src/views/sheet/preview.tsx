import { ArrowRight, TriangleAlert } from 'lucide-react'
import { useTranslation } from 'react-i18next'
import { currencyOf, typeOf } from '@/fields/registry'
import type { Locale } from '@/lib/format'
import { titleOf } from '@/meta/hooks'
import type { Entity, Field, Row } from '@/meta/types'
import { Dialog } from '@/ui/basics'
import type { Change } from '.'

const SHOWN = 100

/** What will change, and what will not, before it does. */
export function Preview({ entity, locale, changes, notes, action, onClose, onApply }: { entity: Entity; locale: Locale; changes: Change[]; notes: string[]; action: string; onClose: () => void; onApply: () => void }) {
  const { t } = useTranslation()
  const good = changes.filter((c) => !c.problem)
  const bad = changes.length - good.length
  const rows = new Set(good.map((c) => c.row.id)).size
  // What will not go in is said first.
  const shown = [...changes].sort((a, b) => Number(!a.problem) - Number(!b.problem)).slice(0, SHOWN)
  const value = (f: Field, v: unknown, row: Row) => { const { Cell } = typeOf(f); return <Cell field={f} value={v} record={row} locale={locale} currency={currencyOf(f, row)} plain /> }
  return (
    <Dialog title={t('sheet.title', { action })} width={760} onClose={onClose} onSubmit={onApply} footer={<>
      <button type="button" className="btn" onClick={onClose}>{t('cancel')}</button><button type="submit" className="btn primary" data-first="" autoFocus>{t('sheet.apply', { count: good.length })}</button></>}>
      <p className="mt-0 mb-3">{t('sheet.summary', { count: good.length, rows })}{bad > 0 && <span className="text-bad"> {t('sheet.wont', { count: bad })}</span>} {notes.join(' ')}</p>
      <div className="overflow-auto border border-line rounded-md" style={{ maxHeight: '48vh' }} tabIndex={0} role="group" aria-label={t('sheet.title', { action })}>
        <table className="data">
          <thead><tr><th scope="col">{entity.label}</th><th scope="col">{t('bulk.field')}</th><th scope="col">{t('sheet.before')}</th><th scope="col"><span className="visually-hidden">{t('became')}</span></th><th scope="col">{t('sheet.after')}</th></tr></thead>
          <tbody>
            {shown.map((c, i) => (
              <tr key={i}>
                <td className="max-w-[180px] truncate">{titleOf(entity, c.row)}</td><td className="text-muted">{c.field.label}</td><td className="max-w-[170px] truncate text-muted"><span className="flex">{value(c.field, c.row[c.field.name], c.row)}</span></td>
                <td>{c.problem ? <TriangleAlert size={14} className="text-bad" aria-hidden="true" /> : <ArrowRight size={14} className="text-faint" aria-hidden="true" />}</td>
                <td className="max-w-[220px]">{c.problem ? <span className="text-bad">{c.problem}</span> : <span className="flex truncate">{c.shown !== undefined && (c.field.type === 'relation' || c.field.type === 'user') ? c.shown : value(c.field, c.value, { ...c.row, [c.field.name]: c.value })}</span>}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      {changes.length > SHOWN && <p className="mb-0 mt-2 text-muted">{t('more', { count: changes.length - SHOWN })}</p>}
    </Dialog>
  )
}
