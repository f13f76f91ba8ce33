import type { Field, Option } from '@/meta/types'

/** The choice that a value is, and its place among them. */
export function optionOf(f: Field, v: unknown): { option: Option; at: number } | null {
  if (v === null || v === undefined || v === '') return null
  const at = f.options?.findIndex((o) => o.id === v) ?? -1
  return { option: f.options?.[at] ?? { id: String(v), label: String(v) }, at }
}
