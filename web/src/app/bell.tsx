import { useQuery } from '@tanstack/react-query'
import { Bell as BellIcon } from 'lucide-react'
import { lazy, Suspense, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { withWords } from '@/i18n'
import { Popover, Skeleton } from '@/ui/basics'
import { bellQuery } from './news'

const Latest = lazy(() => withWords(() => import('./latest')))

export function Bell() {
  const { t } = useTranslation()
  const [open, setOpen] = useState(false)
  const unread = useQuery(bellQuery).data?.unread ?? 0
  return (
    <Popover width={360} align="end" open={open} onOpenChange={setOpen} label={t('notifications')} trigger={
      <button type="button" className="btn ghost icon relative" aria-label={unread ? t('notificationsUnread', { count: unread }) : t('notifications')}>
        <BellIcon size={16} />{unread > 0 && <span className="badge absolute -top-0.5 -end-0.5" aria-hidden="true">{unread > 99 ? '99+' : unread}</span>}
      </button>}>
      <Suspense fallback={<Skeleton rows={3} />}><Latest onClose={() => setOpen(false)} /></Suspense>
    </Popover>
  )
}
