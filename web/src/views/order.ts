import type { SavedView } from './state'

/** The positions that have to be written for a view to stand there; those that one may not move stay as they are. */
export function moved(views: SavedView[], id: string, to: number): { id: string; position: number }[] {
  const order = views.filter((v) => v.id !== id)
  const view = views.find((v) => v.id === id)
  if (!view) return []
  order.splice(to, 0, view)
  const changes: { id: string; position: number }[] = []
  let last = -1
  for (const v of order) {
    const was = v.position ?? 0
    if (was > last) { last = was; continue }
    if (!v.can_manage) continue
    last += 1
    changes.push({ id: v.id, position: last })
  }
  // Where it stands before one that stays, it is the one to go below.
  const next = order[to + 1]
  const mine = changes.find((c) => c.id === id)?.position ?? view.position ?? 0
  if (next && !next.can_manage && (next.position ?? 0) <= mine) return [{ id, position: (next.position ?? 0) - 1 }]
  return changes
}
