import type { Condition } from '@/meta/types'

export interface Action { type: string; people?: string[]; roles?: string[]; owner?: boolean; to?: string; subject?: string; text?: string; entity?: string; target?: string | null; action?: string; values?: Record<string, unknown> }
export interface Trigger {
  id: string; name: string; description: string | null; entity: string; event: string; fields: string[]; action: string | null
  condition: Condition | null; actions: Action[]; on_error: 'stop' | 'continue'; is_active: boolean; run_as_name?: string | null
  last_run?: { id: string; status: string; outcome: string; executed_at: string } | null
}
/** What was held against a rule or a group of them. */
export interface Verdict { verdict: boolean; operator?: string; rules?: Verdict[]; field?: string; left?: unknown; right?: unknown; quantifier?: string; sentence?: string }
export interface Deed { type: string; status?: string; message?: string | null; attempts?: number; detail?: { to?: string[]; subject?: string; text?: string; people?: string[]; entity?: string; record_id?: string; action?: string; values?: Record<string, unknown> } }
export interface Run {
  id: string; trigger_id: string; trigger: string; entity: string; record_id: string; kind: string; title?: string | null; conditions_met: boolean; status: string; outcome: string
  message: string | null; execution_ms: number; executed_at: string
  actor?: string | null; changes?: Record<string, [unknown, unknown]>; event?: unknown; condition_result?: Verdict | null; actions_executed?: Deed[]
}

export const EVENTS = ['created', 'updated', 'field_changed', 'acted', 'deleted'] as const
export const ACTIONS = ['send_email', 'notify', 'update_record', 'create_record', 'take_action', 'comment'] as const
export const NEW: Trigger = { id: '', name: '', description: null, entity: '', event: 'created', fields: [], action: null, condition: null, actions: [{ type: 'send_email' }], on_error: 'stop', is_active: true }

/** What an action of this type says, without what others say. */
const SAYS: Record<string, (keyof Action)[]> = {
  notify: ['people', 'roles', 'owner', 'text'], send_email: ['to', 'subject', 'text'], create_record: ['entity', 'values'], update_record: ['target', 'values'],
  take_action: ['target', 'action'], comment: ['text'],
}
const said = (a: Action): Action => {
  const out: Record<string, unknown> = { type: a.type }
  for (const key of SAYS[a.type] ?? []) if (a[key] !== undefined && a[key] !== null) out[key] = a[key]
  return out as unknown as Action
}

/** A trigger as it is sent: without what the server adds. */
export const wire = (t: Trigger) => ({
  name: t.name.trim(), description: t.description, entity: t.entity, event: t.event, fields: t.event === 'field_changed' ? t.fields : [], action: t.event === 'acted' ? t.action : null,
  condition: t.condition?.rules.length ? t.condition : null, actions: t.actions.map(said), on_error: t.on_error, is_active: t.is_active,
})

export const COLORS: Record<string, string> = { SUCCESS: 'green', PARTIAL_SUCCESS: 'amber', FAILED: 'red', skipped: 'gray' }
/** How a run ended, in one word: what did not hold is neither good nor bad. */
export const endOf = (r: { status: string; outcome: string }): string => (r.outcome === 'skipped' ? 'skipped' : r.status)
