import { get } from '@/api/http'
import { queryClient } from '@/api/session'
import type { Refusal } from '@/api/records'

/** Work that the server does behind one's back. In the list `result.failed` is how many, of one piece of work each of them. */
export interface Work {
  id: string; kind: string; status: string; done: number; total: number | null; error?: string | null
  result?: { done?: number; failed?: number | Refusal[] } | null
  entity?: string | null; action?: string | null; import?: string | null; undoes?: string | null; created_at?: string; finished_at?: string | null
}
/** Changes of many records at once, and files brought in. */
const KINDS = ['records.bulk', 'records.bulk_undo', 'records.import', 'records.import_check', 'records.import_undo']

export const goesOn = (w: Work): boolean => w.status === 'queued' || w.status === 'running'
export const refused = (w: Work): number => (Array.isArray(w.result?.failed) ? w.result.failed.length : w.result?.failed ?? 0)
export const changedBy = (w: Work): number => w.result?.done ?? Math.max(0, w.done - refused(w))

/** The event stream says when something moves; asked by the clock it is only in case the stream is silent. */
export const workQuery = {
  queryKey: ['jobs'], retry: false, staleTime: 10_000,
  queryFn: async (): Promise<Work[]> => (await get<{ data: Work[] }>('/jobs', { limit: 20 })).data.filter((w) => KINDS.includes(w.kind)),
  refetchInterval: (q: { state: { data?: Work[] | undefined } }): number | false => (q.state.data?.some(goesOn) ? 2500 : false),
}
export const renewWork = (): Promise<void> => queryClient.invalidateQueries({ queryKey: ['jobs'] })

/** What is shown in the middle of the screen until it ends or one goes on with something else: a job, or the refusals of what was done at once. */
export interface Shown { id?: string; entity: string; text: string; done?: number; failed?: Refusal[] }
export const EVENT = 'fondaco:work'
export function show(what: Shown, as?: Partial<Work>): void {
  if (what.id) {
    const begun: Work = { id: what.id, kind: 'records.bulk', status: 'queued', done: 0, total: null, entity: what.entity, created_at: new Date().toISOString(), ...as }
    queryClient.setQueryData<Work[]>(['jobs'], (old) => [begun, ...(old ?? []).filter((w) => w.id !== begun.id)])
    void renewWork()
  }
  dispatchEvent(new CustomEvent<Shown>(EVENT, { detail: what }))
}

/** Follows an import's work to its end, asking less and less often. */
export async function follow(job: string | Pick<Work, 'id'>, seen?: (w: Work) => void): Promise<Work> {
  const id = typeof job === 'string' ? job : job.id
  void renewWork()
  for (let wait = 120; ; wait = Math.min(wait * 1.4, 1500)) {
    const w = await get<Work>(`/jobs/${id}`)
    seen?.(w)
    if (!goesOn(w)) return w
    await new Promise((r) => setTimeout(r, wait))
  }
}
