import { useQuery } from '@tanstack/react-query'
import { Link, useRouterState } from '@tanstack/react-router'
import { clsx } from 'clsx'
import { MessagesSquare } from 'lucide-react'
import { useTranslation } from 'react-i18next'
import { countQuery } from './talk'

/** The way to the messages, with how many conversations have something new. */
export default function MessagesLink({ onNavigate }: { onNavigate: () => void }) {
  const { t } = useTranslation()
  const on = useRouterState({ select: (s) => s.location.pathname.startsWith('/messages') })
  const unread = useQuery(countQuery).data ?? 0
  return (
    <Link to="/messages/{-$id}" params={{ id: undefined }} search={{}} onClick={onNavigate} aria-current={on ? 'page' : undefined} className={clsx('item no-underline text-fg', on && 'bg-hover font-medium')}>
      <span className="text-muted flex" aria-hidden="true"><MessagesSquare size={16} /></span><span className="flex-1">{t('messages.title')}</span>
      {unread > 0 && <span className="badge" role="img" aria-label={t('messages.unread', { count: unread })}>{unread > 99 ? '99+' : unread}</span>}
    </Link>
  )
}
