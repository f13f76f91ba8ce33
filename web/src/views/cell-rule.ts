import type { Field, Rule } from '@/meta/types'

/** The rule that finds all that have in this field what a cell has; or all that have not. */
export function ruleOf(f: Field, value: unknown, not = false): Rule {
  const empty = value === null || value === undefined || value === '' || (Array.isArray(value) && !value.length)
  if (empty) return { field: f.name, operator: not ? 'is_not_empty' : 'is_empty' }
  if (f.type === 'boolean') return { field: f.name, operator: (value === true) !== not ? 'is_true' : 'is_false' }
  if (Array.isArray(value)) return { field: f.name, operator: not ? 'has_none' : 'has_all', value: f.type === 'tags' && value.length === 1 ? value[0] : value }
  if (f.options?.length || ['relation', 'user', 'country', 'timezone'].includes(f.type)) return { field: f.name, operator: not ? 'not_in' : 'in', value: [value] }
  if (f.type === 'location' && !not) { const { lat, lon } = value as { lat: number; lon: number }; return { field: f.name, operator: 'within_km', value: { lat, lon, km: 1 } } }
  if (f.type === 'signature' || f.type === 'location' || f.type === 'address') return { field: f.name, operator: not ? 'is_empty' : 'is_not_empty' }
  // The day of an instant is the whole of it.
  return { field: f.name, operator: not ? 'not_equals' : 'equals', value: f.type === 'integer' ? Number(value) : value }
}
