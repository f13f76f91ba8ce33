import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { CheckCheck } from 'lucide-react'
import { useTranslation } from 'react-i18next'
import { messageOf } from '@/api/http'
import { toast } from '@/lib/toast'
import { bellQuery, readAll } from './news'
import { Told, useTitles } from './told'

/** The newest, under the bell. */
export default function Latest({ onClose }: { onClose: () => void }) {
  const { t } = useTranslation()
  const { data } = useQuery(bellQuery)
  const all = data?.data ?? []
  const titles = useTitles(all)
  return (
    <>
      <div className="flex items-center gap-2">
        <div className="menu-label flex-1">{t('notifications')}</div>
        {!!data?.unread && <button type="button" className="btn ghost sm text-muted" onClick={() => void readAll().catch((e) => toast.error(messageOf(e)))}><CheckCheck size={14} aria-hidden="true" />{t('inbox.readAll')}</button>}
      </div>
      {all.length === 0 && <div className="px-2 py-4 text-muted text-center">{t('noNotifications')}</div>}
      <ul className="list-none m-0 p-0">{all.map((n) => <li key={n.id}><Told n={n} titles={titles} onOpen={onClose} /></li>)}</ul>
      <div className="rule" />
      <Link to="/inbox" search={{}} className="item no-underline text-fg justify-center" onClick={onClose}>{t('inbox.open')}</Link>
    </>
  )
}
