import type { Entity } from '@/meta/types'

/** Everything that people do with records of an entity, by name. */
export function actionsOf(e: Entity | undefined): { name: string; label: string }[] {
  const all = new Map<string, string>()
  for (const m of e?.states?.moves ?? []) all.set(m.action, m.label)
  for (const a of e?.actions ?? []) all.set(a.name, a.label)
  return [...all].filter(([name]) => name !== 'auto').map(([name, label]) => ({ name, label }))
}
