import { get, post } from '@/api/http'
import { queryClient } from '@/api/session'

export interface Named { id: string; name: string }
export type Status = 'pending' | 'approved' | 'rejected' | 'returned' | 'withdrawn'
/** An action that waits, as lists show it. */
export interface Approval {
  id: string; entity: string; record_id: string; action: string; title: string; reason: string | null; amount: string | null; currency: string | null
  shown: { name: string; value: unknown }[]; status: Status; requested_by: Named | null; created_at: string; decided_at: string | null
  level: number; levels: number; level_name: string | null; due_at: string | null; asked_at: string | null
  may_decide: boolean; in_name_of: Named | null; may_answer: boolean; may_withdraw: boolean
}
export interface Step {
  number: number; name: string; quorum: number | null; entered_at: string | null; left_at: string | null; due_at: string | null; escalated_at: string | null
  people: { person: Named; standin: Named | null; through: string | null; escalated: boolean; approved: boolean }[]
}
export interface Said { decision: string; level: number; by: Named | null; in_name_of: Named | null; to: Named | null; comment: string | null; at: string }
export interface Whole extends Approval { steps: Step[]; history: Said[] }

export const PLACES = ['mine', 'requested', 'decided', 'all'] as const
export type Place = (typeof PLACES)[number]
export const DECISIONS = ['approve', 'reject', 'return', 'ask', 'delegate'] as const
export type Decision = (typeof DECISIONS)[number]

export const approvalQuery = (id: string) => ({ queryKey: ['approvals', 'one', id], queryFn: () => get<Whole>(`/approvals/${id}`) })
export const ofRecordQuery = (entity: string, id: string) => ({ queryKey: ['approvals', 'record', entity, id], retry: false, queryFn: () => get<{ data: Whole[] }>('/approvals', { entity, record: id }).then((r) => r.data) })
export const renew = (): Promise<void> => queryClient.invalidateQueries({ queryKey: ['approvals'] })

export interface Body { decision: Decision; comment?: string; to?: string }
export const decide = (id: string, body: Body): Promise<Whole> => post<Whole>(`/approvals/${id}/decide`, body)
export const decideAll = (ids: string[], body: Body): Promise<{ done: number; failed: { id: string; message: string }[] }> => post('/approvals/_decide', { ids, ...body })

/** How near the end is: nothing is due, it is soon, or it is over. */
export function urgency(due: string | null, now = Date.now()): 'none' | 'later' | 'soon' | 'over' {
  if (!due) return 'none'
  const left = Date.parse(due) - now
  return left < 0 ? 'over' : left < 24 * 3_600_000 ? 'soon' : 'later'
}

/** What a decision cannot be without. */
export const needsWords = (d: Decision): boolean => d !== 'approve' && d !== 'delegate'
