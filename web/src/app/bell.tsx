import { useQuery } from '@tanstack/react-query'
import { useNavigate } from '@tanstack/react-router'
import { Bell as BellIcon } from 'lucide-react'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { get, post } from '@/api/http'
import { queryClient } from '@/api/session'
import { formatAgo, useLocale } from '@/lib/format'
import { Popover } from '@/ui/basics'

interface Notification { id: string; title?: string | null; subject?: string | null; message?: string | null; body?: string | null; created_at?: string; read_at?: string | null; entity?: string | null; record_id?: string | null; record?: string | null }

export function Bell() {
  const { t } = useTranslation()
  const locale = useLocale()
  const navigate = useNavigate()
  const [open, setOpen] = useState(false)
  const { data } = useQuery({ queryKey: ['notifications'], queryFn: () => get<{ data: Notification[] }>('/notifications').then((r) => r.data ?? []), retry: false, staleTime: 60_000 })
  const all = data ?? []
  const unread = all.filter((n) => !n.read_at).length
  const read = (n: Notification) => {
    void post(`/notifications/${n.id}/read`).then(() => queryClient.invalidateQueries({ queryKey: ['notifications'] }), () => {})
    const id = n.record_id ?? n.record
    if (n.entity && id) { setOpen(false); void navigate({ to: '/o/$entity/r/$id', params: { entity: n.entity, id }, search: {} }) }
  }
  return (
    <Popover width={340} align="end" open={open} onOpenChange={setOpen} label={t('notifications')} trigger={
      <button type="button" className="btn ghost icon relative" aria-label={unread ? t('notificationsUnread', { count: unread }) : t('notifications')}>
        <BellIcon size={16} />{unread > 0 && <span className="absolute top-1 end-1 w-2 h-2 rounded-full bg-accent" aria-hidden="true" />}
      </button>}>
      <div className="menu-label">{t('notifications')}</div>
      {all.length === 0 && <div className="px-2 py-4 text-muted text-center">{t('noNotifications')}</div>}
      {all.map((n) => (
        <button key={n.id} type="button" className="item" style={{ alignItems: 'flex-start', paddingBlock: 7 }} onClick={() => read(n)}>
          <span className="w-2 h-2 rounded-full mt-1.5 flex-none" style={{ background: n.read_at ? 'transparent' : 'var(--accent)' }} aria-hidden="true" />
          <span className="flex-1 min-w-0">
            <span className="block font-medium">{n.title ?? n.subject ?? n.message}</span>
            {n.body && <span className="block text-muted">{n.body}</span>}
            <span className="block text-faint text-xs">{formatAgo(n.created_at, locale)}</span>
          </span>
        </button>
      ))}
    </Popover>
  )
}
