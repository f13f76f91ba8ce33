import { queryClient } from '@/api/session'

export interface Recent { entity: string; id: string; title: string }
// One list an organization: nothing of one company is offered in another.
const key = (): string => `recent:${(queryClient.getQueryData(['me']) as { organization?: { id: string } } | undefined)?.organization?.id ?? ''}`

export function recents(): Recent[] {
  try { return JSON.parse(localStorage.getItem(key()) ?? '[]') as Recent[] } catch { return [] }
}
export function visited(r: Recent): void {
  const all = [r, ...recents().filter((x) => x.id !== r.id)].slice(0, 12)
  try { localStorage.setItem(key(), JSON.stringify(all)) } catch { /* full or private */ }
}
