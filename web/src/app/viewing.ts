import { del, messageOf, post } from '@/api/http'
import { toast } from '@/lib/toast'

/** A whole new page: nothing that was read with other rights stays. */
export async function viewAs(role: string, workspace?: string): Promise<void> {
  try {
    await post(`/roles/${role}/view`, workspace ? { workspace_id: workspace } : {})
    location.assign('/')
  } catch (e) { toast.error(messageOf(e), { duration: 9000 }) }
}

export async function endView(): Promise<void> {
  try {
    await del('/auth/view')
    location.assign('/settings/roles')
  } catch (e) { toast.error(messageOf(e)) }
}
