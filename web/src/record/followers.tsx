import { useQuery } from '@tanstack/react-query'
import { BellPlus, BellRing } from 'lucide-react'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { get, messageOf, post } from '@/api/http'
import { usePeople } from '@/api/people'
import { queryClient, useSession } from '@/api/session'
import { toast } from '@/lib/toast'
import { Avatar, Popover } from '@/ui/basics'

interface Follower { id: string; name: string }

/** Whether one hears of the record, and who else does. */
export default function Followers({ entity, id }: { entity: string; id: string }) {
  const { t } = useTranslation()
  const { me } = useSession()
  const people = usePeople()
  const [open, setOpen] = useState(false)
  const [busy, setBusy] = useState(false)
  const key = ['followers', entity, id]
  const { data } = useQuery({ queryKey: key, staleTime: 30_000, retry: false, queryFn: () => get<{ data: Follower[] }>('/followers', { entity, record: id }).then((r) => r.data) })
  if (!data) return null
  const on = data.some((f) => f.id === me?.user.id)
  const wish = async () => {
    setBusy(true)
    try {
      await post('/followers', { entity, record: id, follow: !on })
      await queryClient.invalidateQueries({ queryKey: key })
      toast(t(on ? 'follow.ceased' : 'follow.begun'))
    } catch (e) { toast.error(messageOf(e)) } finally { setBusy(false) }
  }
  return (
    <span className="flex items-center no-print">
      <button type="button" className="btn ghost sm text-muted" aria-pressed={on} disabled={busy} title={t('follow.why')} onClick={() => void wish()}>{on ? <BellRing size={14} aria-hidden="true" /> : <BellPlus size={14} aria-hidden="true" />}{t(on ? 'follow.following' : 'follow.follow')}</button>
      {data.length > 0 && <Popover width={240} label={t('follow.who')} open={open} onOpenChange={setOpen} trigger={<button type="button" className="btn ghost sm text-muted num" aria-label={t('follow.count', { count: data.length })}>{data.length}</button>}>
        <h3 className="m-0 px-2 py-1 text-2xs font-semibold text-faint">{t('follow.who')}</h3>
        <ul className="list-none m-0 p-0 overflow-auto" style={{ maxBlockSize: 260 }}>{data.map((f) => <li key={f.id} className="flex items-center gap-2 px-2 min-h-8"><Avatar name={f.name} size={22} src={people.find((p) => p.id === f.id)?.picture} /><span className="truncate">{f.name}</span></li>)}</ul>
      </Popover>}
    </span>
  )
}
