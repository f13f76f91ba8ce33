import { useTranslation } from 'react-i18next'
import { sentence, shifted, skipping } from '@/fields/own/recurrence'
import { formatDate, type Locale } from '@/lib/format'
import { titleOf } from '@/meta/hooks'
import type { Entity, Field, Row } from '@/meta/types'
import { Dialog } from '@/ui/basics'
import { addDays, daysFrom } from '../days'
import type { Held } from './shape'
import { changesOf, instant, isTimed, spanned, wallAt, whenOf, type Times, type When } from './when'

/** What has to be written for all of a series to move as this one of it did. */
export function movedSeries(row: Row, was: When, now: When, t: Times, again: string): Record<string, unknown> {
  const base = whenOf(row, t)!
  const n = daysFrom(was.from, now.from)
  const first = addDays(base.from, n)
  let moved: When = { from: first, to: addDays(first, daysFrom(now.from, now.to)), open: now.open }
  if (isTimed(t) && base.at !== undefined && now.at !== undefined) {
    const at = instant(first + wallAt(now.at, t.zone).slice(10), t.zone)
    moved = spanned(at, at + now.till! - now.at, now.open, t.zone)
  }
  return { ...changesOf(row, base, moved, t), ...(n ? { [again]: shifted(row[again], n, first) } : {}) }
}

/** What is done to one day of something that comes back: all of it moves, or this one day is left out. */
export function Series({ entity, held, field, times, locale, same, onClose, onSave }: { entity: Entity; held: Held; field: Field; times: Times; locale: Locale; same: boolean; onClose: () => void; onSave: (changes: Record<string, unknown>) => void }) {
  const { t } = useTranslation()
  const { row, was, now } = held
  const day = formatDate(was.from, locale)
  const skip = <button type="button" className={same ? 'btn primary' : 'btn'} autoFocus={same} onClick={() => onSave({ [field.name]: skipping(row[field.name], was.from) })}>{t('rec.skipOne', { day })}</button>
  return (
    <Dialog title={t('rec.seriesTitle', { name: titleOf(entity, row) })} width={480} onClose={onClose} footer={<>
      <button type="button" className="btn" onClick={onClose}>{t('cancel')}</button>{skip}
      {!same && <button type="button" className="btn primary" autoFocus onClick={() => onSave(movedSeries(row, was, now, times, field.name))}>{t('rec.moveAll')}</button>}
    </>}>
      <p className="m-0 text-muted">{same ? t('rec.skipText', { day }) : t('rec.seriesText', { rule: sentence(row[field.name], locale) })}</p>
    </Dialog>
  )
}
