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
