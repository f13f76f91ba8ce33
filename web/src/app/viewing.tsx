import { Eye } from 'lucide-react'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { del, messageOf, post } from '@/api/http'
import type { Viewing } from '@/api/session'
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

/** Says above every page that it is seen as a role sees it, and that nothing can be changed. */
export function ViewingBanner({ viewing }: { viewing: Viewing }) {
  const { t } = useTranslation()
  const [ending, setEnding] = useState(false)
  const { role, workspace } = viewing
  const text = !role ? t('viewAs.gone') : workspace ? t('viewAs.bannerIn', { role: role.label, workspace: workspace.name }) : t('viewAs.banner', { role: role.label })
  return (
    <section aria-label={t('viewAs.title')} className="flex items-center flex-wrap gap-2 px-3 py-1.5 border rounded-lg bg-raised no-print flex-none md:mb-2" style={{ borderColor: 'var(--warn)' }}>
      <Eye size={15} aria-hidden="true" />
      <span className="flex-1 min-w-0">{text}</span>
      <button type="button" className="btn sm max-md:!h-11" disabled={ending} onClick={() => { setEnding(true); void endView().finally(() => setEnding(false)) }}>{t('viewAs.end')}</button>
    </section>
  )
}
