import i18next from 'i18next'
import { queryClient, type Me } from '@/api/session'
import { typeOf } from '@/fields/registry'
import { compile, kindOf } from '@/lib/condition'
import { fieldOf, visibleFields } from '@/meta/hooks'
import type { Condition, Entity, Field, Row, Rule } from '@/meta/types'
import { hueName } from '@/ui/basics'
import type { Paint } from './grid'
import { sendable, type FormatRule } from './state'

/** What colours a row: the first rule that is true of it, for the row and for each cell. */
export function painter(entity: Entity, rules: FormatRule[]): (row: Row) => Paint | null {
  const me = queryClient.getQueryData<Me>(['me'])
  const clock = { now: new Date(), zone: me?.organization?.time_zone || 'UTC' }
  const locale = { locale: document.documentElement.lang || 'en', zone: clock.zone, currency: me?.organization?.currency || 'USD' }
  const made = rules.flatMap((r) => {
    const when = sendable(r.when)
    return when ? [{ ...r, color: hueName({ id: '', label: '', color: r.color }), why: inWords(entity, when, locale), test: compile(when, (f) => { const x = fieldOf(entity, f); return x && kindOf(x.type) }, clock) }] : []
  })
  // A row is asked again only when it is another.
  const seen = new WeakMap<Row, Paint | null>()
  return (row) => {
    let paint = seen.get(row)
    if (paint === undefined) {
      paint = null
      const why: string[] = []
      for (const r of made) {
        if ((r.field ? paint?.cells[r.field] : paint?.row) || !r.test(row)) continue
        paint ??= { cells: {}, why: '' }
        if (r.field) paint.cells[r.field] = r.color; else paint.row = r.color
        why.push(r.why)
      }
      if (paint) paint.why = why.join('\n')
      seen.set(row, paint)
    }
    return paint
  }
}

/** Colour alone says nothing: the condition itself is told to whoever points at it. */
export function inWords(entity: Entity, c: Condition | Rule, l: Parameters<ReturnType<typeof typeOf>['format']>[2]): string {
  if (!('field' in c)) return c.rules.map((r) => inWords(entity, r, l)).join(` ${i18next.t(c.operator === 'OR' ? 'filter.or' : 'filter.and')} `)
  const f = fieldOf(entity, c.field)
  const show = (v: unknown) => (f ? typeOf(f).format(v, f, l) : String(v))
  const value = c.operator.startsWith('within_') ? i18next.t('days', { count: Number(c.value) }) : (Array.isArray(c.value) ? c.value : c.value === undefined ? [] : [c.value]).map(show).join(c.operator === 'between' ? ' – ' : ', ')
  return `${f?.label ?? c.field} ${i18next.t(`op.${c.operator}`)} ${value}`.trim()
}
export const paintable = (e: Entity): Field[] => visibleFields(e).filter((f) => typeOf(f).operators.length > 0 && f.type !== 'json' && f.type !== 'file' && f.type !== 'signature')
