import { daysFrom } from '../days'

export interface Task { id: string; from: string; to: string; /** What has to end before it begins. */ after: string[] }
export interface Critical { path: Set<string>; days: number }

/** The chain of tasks, each waiting for the one before, that takes the most days. Null where they wait for each other, or for one that is not here. */
export function criticalPath(tasks: Task[]): Critical | null {
  const byId = new Map(tasks.map((t) => [t.id, t]))
  const longest = new Map<string, { days: number; by: string | null }>()
  const open = new Set<string>()
  for (const first of tasks) {
    // Down to what waits for nothing, without recursion: a chain may be long.
    const stack = [first]
    while (stack.length) {
      const t = stack.at(-1)!
      if (longest.has(t.id)) { stack.pop(); continue }
      const wait = t.after.filter((id) => !longest.has(id))
      if (!open.has(t.id)) {
        open.add(t.id)
        for (const id of wait) { const before = byId.get(id); if (!before || open.has(id)) return null; stack.push(before) }
        if (wait.length) continue
      } else if (wait.length) return null
      let best: { days: number; by: string | null } = { days: 0, by: null }
      for (const id of t.after) { const l = longest.get(id)!; if (l.days > best.days) best = { days: l.days, by: id } }
      longest.set(t.id, { days: best.days + daysFrom(t.from, t.to) + 1, by: best.by })
      open.delete(t.id)
      stack.pop()
    }
  }
  const path = new Set<string>()
  let end: string | null = null
  // Only what is linked makes a path.
  const linked = new Set(tasks.flatMap((t) => (t.after.length ? [t.id, ...t.after] : [])))
  for (const id of linked) if (end === null || longest.get(id)!.days > longest.get(end)!.days) end = id
  const days = end === null ? 0 : longest.get(end)!.days
  for (let id = end; id !== null; id = longest.get(id)!.by) path.add(id)
  return { path, days }
}

/** Whether `id` would, by waiting for `after`, wait for itself. */
export function circle(tasks: { id: string; after: string[] }[], id: string, after: string): boolean {
  const byId = new Map(tasks.map((t) => [t.id, t.after]))
  const seen = new Set<string>()
  const stack = [after]
  while (stack.length) {
    const x = stack.pop()!
    if (x === id) return true
    if (!seen.has(x)) { seen.add(x); stack.push(...(byId.get(x) ?? [])) }
  }
  return false
}
