import { expandable, expandKey, fieldOf } from '@/meta/hooks'
import type { Condition, Entity, Field, Rule } from '@/meta/types'

export const STEPS = ['day', 'week', 'month', 'quarter', 'year'] as const
export type Step = (typeof STEPS)[number]
/** One level of groups: a field, of dates also how long a group is. */
export interface Level { field: Field; step?: Step; /** As the server calls it in its answer. */ key: string; ask: string; spec: string }

const NEVER = new Set(['json', 'tags', 'multiselect', 'file', 'textarea', 'uuid', 'richtext', 'location', 'signature', 'recurrence', 'users', 'address', 'button', 'autonumber'])
export const groupable = (f: Field): boolean => f.filterable !== false && !f.unique && !NEVER.has(f.type)
export const isDay = (f: Field): boolean => f.type === 'date' || f.type === 'datetime'
export const stepOf = (f: Field): string => (isDay(f) ? `${f.name}:month` : f.name)

export function levelsOf(e: Entity, group: string[] | undefined): Level[] {
  return (group ?? []).slice(0, 3).flatMap((spec): Level[] => {
    const [name, asked] = spec.split(':')
    const field = fieldOf(e, name ?? '')
    if (!field) return []
    const step = isDay(field) ? STEPS.find((s) => s === asked) ?? 'month' : undefined
    const key = expandable(field) ? expandKey(field) : field.name
    return [{ field, key, spec, ask: step ? `${key}:${step}` : key, ...(step ? { step } : {}) }]
  })
}

/** The last day of the time that begins with this one. */
export function lastDay(start: string, step: Step): string {
  const d = new Date(start + 'T00:00:00Z')
  if (step === 'day') return start
  if (step === 'week') d.setUTCDate(d.getUTCDate() + 7)
  else d.setUTCMonth(d.getUTCMonth() + { month: 1, quarter: 3, year: 12 }[step])
  d.setUTCDate(d.getUTCDate() - 1)
  return d.toISOString().slice(0, 10)
}

/** The rule that finds a group's records. */
export function ruleFor({ field, step }: Level, value: unknown): Rule {
  if (value === null || value === undefined) return { field: field.name, operator: 'is_empty' }
  if (field.type === 'boolean') return { field: field.name, operator: value === true ? 'is_true' : 'is_false' }
  if (step) { const from = String(value).slice(0, 10); return { field: field.name, operator: 'between', value: [from, lastDay(from, step)] } }
  return { field: field.name, operator: 'equals', value: ['integer', 'rating', 'duration'].includes(field.type) ? Number(value) : value }
}
export function filterFor(levels: Level[], path: unknown[], filter: Condition | undefined): Condition {
  return { operator: 'AND', rules: [...(filter ? [filter] : []), ...path.map((v, i) => ruleFor(levels[i]!, v))] }
}
/** What a group is known by: of who is named, the id. */
export const valueOf = (v: unknown): unknown => (v && typeof v === 'object' ? (v as { id: unknown }).id : (v ?? null))
export const titleIn = (v: unknown): string | undefined => (v && typeof v === 'object' ? String((v as { title?: unknown }).title ?? '') : undefined)

/** Choices in their own order, names by the alphabet, all else by its size; nothing comes last. */
export function ordered<T extends { value: unknown; title?: string | undefined }>(groups: T[], level: Level, down: boolean, locale: string): T[] {
  const options = level.field.options?.map((o) => o.id)
  const collator = new Intl.Collator(locale, { numeric: true })
  const rank = (a: T, b: T): number => {
    if (options?.length) return place(options, a.value) - place(options, b.value)
    if (a.title !== undefined || typeof a.value === 'string') return collator.compare(a.title ?? String(a.value), b.title ?? String(b.value))
    return Number(a.value) - Number(b.value)
  }
  return [...groups].sort((a, b) => Number(a.value === null) - Number(b.value === null) || (down ? -rank(a, b) : rank(a, b)))
}
const place = (options: string[], v: unknown): number => { const i = options.indexOf(String(v)); return i < 0 ? options.length : i }
