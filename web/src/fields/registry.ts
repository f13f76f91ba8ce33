import { createElement, lazy, Suspense, type ComponentType } from 'react'
import type { Locale } from '@/lib/format'
import type { Field } from '@/meta/types'
import { choiceOperators, emptiness, numberOperators, one, text, textOperators, TextInput } from './shared'

export interface CellProps { field: Field; value: unknown; record: Record<string, unknown>; locale: Locale; currency?: string | undefined; link?: boolean | undefined; /** Inside a button nothing else may be pressed. */ plain?: boolean | undefined; /** There is room for all of it. */ whole?: boolean | undefined }
export interface InputProps {
  field: Field
  value: unknown
  onChange: (v: unknown) => void
  /** Given in a grid cell: the choice is final the moment it is made. */
  onCommit?: ((v: unknown) => void) | undefined
  record: Record<string, unknown>
  id?: string | undefined
  invalid?: boolean | undefined
  describedBy?: string | undefined
  autoFocus?: boolean | undefined
  label?: string | undefined
  /** In a table: no placeholders, arrows leave the input. */
  compact?: boolean | undefined
  /** The key that opened a cell: it replaces what was there. */
  typed?: string | undefined
}
/** What an operator needs beside it. */
export type Operand = 'none' | 'one' | 'two' | 'many' | 'days'
export interface Operator { name: string; operand: Operand }
export interface FieldType {
  Cell: ComponentType<CellProps>
  Input: ComponentType<InputProps>
  /** A filter's value, where it is not the input itself. */
  Filter?: ComponentType<InputProps>
  format: (value: unknown, field: Field, l: Locale, currency?: string) => string
  operators: Operator[]
  align?: 'end'
  width: number
  /** Whether a typed character may open the editor. */
  types?: boolean
  /** In a form: takes the whole width. */
  wide?: boolean
  sum?: 'sum' | 'avg'
}

const modules = import.meta.glob<{ default: FieldType }>(['./*.tsx', '!./shared.tsx', '!./*.test.tsx'], { eager: true })
const types: Record<string, FieldType> = {}
for (const [file, m] of Object.entries(modules)) types[file.slice(2, -4)] = m.default

let loaded: Record<string, FieldType> | undefined
let coming: Promise<Record<string, FieldType>> | undefined
const fetchOwn = () => (coming ??= import('./own').then((m) => (loaded = m.own)))
/** What is known of a seldom type before it is there. */
function later(type: string, known: Pick<FieldType, 'operators' | 'width'> & Partial<FieldType>): void {
  const part = <P extends object>(pick: (t: FieldType) => ComponentType<P>, fallback: (p: P) => string): ComponentType<P> => {
    const Part = lazy(() => fetchOwn().then((own) => ({ default: pick(own[type]!) as ComponentType<object> })))
    return (p) => createElement(Suspense, { fallback: fallback(p) }, createElement(Part, p))
  }
  types[type] = {
    Cell: part((t) => t.Cell, (p) => known.format?.(p.value, p.field, p.locale) ?? (typeof p.value === 'object' ? '' : text(p.value))), Input: part((t) => t.Input, () => ''), Filter: part((t) => t.Filter ?? t.Input, () => ''),
    format: (v, f, l, c) => (loaded ? loaded[type]!.format(v, f, l, c) : typeof v === 'object' ? '' : text(v)), ...known,
  }
}
later('richtext', { operators: textOperators, width: 240, wide: true, Filter: (p) => createElement(TextInput, { p }) })
later('tags', { operators: [...one('has_any', 'has_all', 'has_none'), ...emptiness], width: 170, format: (v) => (Array.isArray(v) ? v.join(', ') : text(v)) })
later('uuid', { operators: [...one('equals', 'not_equals'), ...emptiness], width: 110, types: true })
later('rating', { operators: numberOperators, width: 165, types: true })
later('duration', { operators: numberOperators, width: 110, types: true, align: 'end' })
later('color', { operators: [...one('equals', 'not_equals'), ...emptiness], width: 110 })
later('location', { operators: [...one('within_km'), ...emptiness], width: 170, wide: true })
later('country', { operators: choiceOperators, width: 140 })
later('timezone', { operators: choiceOperators, width: 150 })
later('barcode', { operators: textOperators, width: 140, Filter: (p) => createElement(TextInput, { p }) })
later('multiselect', { operators: [{ name: 'has_any', operand: 'many' }, { name: 'has_all', operand: 'many' }, { name: 'has_none', operand: 'many' }, ...emptiness], width: 170 })
later('json', { operators: emptiness, width: 200, wide: true, format: text })
later('file', { operators: emptiness, width: 150 })
later('recurrence', { operators: emptiness, width: 220, wide: true })
later('signature', { operators: emptiness, width: 180, wide: true })
later('time', { operators: numberOperators, width: 110 })
later('daterange', { operators: [...one('greater_or_equal', 'less_than'), ...emptiness], width: 190 })
later('users', { operators: types.multiselect!.operators, width: 180, wide: true })
later('address', { operators: emptiness, width: 220, wide: true })
later('autonumber', { operators: numberOperators, width: 100 })
later('button', { operators: [], width: 130 })
later('icon', { operators: choiceOperators, width: 90 })
later('avatar', { operators: emptiness, width: 80 })
later('progress', { operators: numberOperators, width: 150, types: true, sum: 'avg' })
later('qrcode', { operators: textOperators, width: 170, types: true })
/** Looks: kept as another type is. */
const like = (base: string, ...looks: string[]) => { const { Cell: _, Input: __, Filter: ___, ...known } = types[base]!; for (const look of looks) later(look, known) }
like('select', 'radio', 'status', 'priority', 'label', 'badge')
like('boolean', 'checkbox', 'toggle')
like('richtext', 'markdown')
like('file', 'image')

/** A type this build does not know is shown and edited as text. */
export const typeOf = (f: { type: string; look?: string | null | undefined }): FieldType => types[f.look ?? f.type] ?? types[f.type] ?? types.text!
export const typeNames = Object.keys(types)

/** The currency a money value is in: the field names it, the record carries it, or the organization's. */
export function currencyOf(f: Field, record: Record<string, unknown>, parent?: Record<string, unknown>): string | undefined {
  for (const r of [record, parent]) {
    if (!r) continue
    for (const k of [f.currency_field, 'currency', 'currency_code']) {
      const v = k ? r[k] : undefined
      if (typeof v === 'string' && /^[A-Z]{3}$/.test(v)) return v
      if (v && typeof v === 'object' && typeof (v as { code?: unknown }).code === 'string') return (v as { code: string }).code
    }
  }
  return undefined
}

export const isEmpty = (v: unknown): boolean => v === null || v === undefined || v === '' || (Array.isArray(v) && v.length === 0)
