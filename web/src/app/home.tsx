import { Link } from '@tanstack/react-router'
import { useEffect } from 'react'
import { useTranslation } from 'react-i18next'
import { useSession } from '@/api/session'
import { recents } from '@/lib/recent'
import { useMenu, useMeta } from '@/meta/hooks'
import { Skeleton } from '@/ui/basics'
import { iconNamed } from '@/ui/icons'

export function Home() {
  const { t } = useTranslation()
  const { me } = useSession()
  const { data: meta, isPending } = useMeta()
  const menu = useMenu()
  const last = recents().filter((r) => meta?.entities[r.entity])
  useEffect(() => { document.title = 'Fondaco' }, [])
  return (
    <div className="overflow-auto flex-1">
      <div className="max-w-[1080px] mx-auto px-6 py-7">
        <h1 className="text-xl font-semibold m-0">{t('greeting', { name: me?.user.first_name || me?.user.email })}</h1>
        <p className="text-muted mt-1 mb-6">{me?.organization?.name}</p>
        {last.length > 0 && (
          <section className="mb-7">
            <h2 className="text-2xs font-semibold text-faint m-0 mb-2">{t('palette.recent')}</h2>
            <ul className="list-none m-0 p-0 grid gap-x-6" style={{ gridTemplateColumns: 'repeat(auto-fill,minmax(240px,1fr))' }}>
              {last.slice(0, 9).map((r) => {
                const e = meta?.entities[r.entity]
                const Icon = iconNamed(e?.icon)
                return <li key={r.id}><Link className="item no-underline text-inherit" to="/o/$entity/r/$id" params={{ entity: r.entity, id: r.id }} search={{}}><Icon size={15} className="text-muted" aria-hidden="true" /><span className="truncate flex-1">{r.title}</span><span className="text-faint text-xs">{e?.label}</span></Link></li>
              })}
            </ul>
          </section>
        )}
        {isPending && <Skeleton />}
        <div className="grid gap-3" style={{ gridTemplateColumns: 'repeat(auto-fill,minmax(230px,1fr))' }}>
          {menu.map((m) => {
            const Icon = iconNamed(m.icon)
            return (
              <section key={m.name} className="border border-line rounded-lg p-3">
                <h2 className="flex items-center gap-2 m-0 mb-1 px-2 text-sm font-semibold"><Icon size={16} className="text-accent-text" aria-hidden="true" />{m.title}</h2>
                {m.entities.map((e) => <Link key={e.name} className="item no-underline text-inherit" to="/o/$entity" params={{ entity: e.name }} search={{}}>{e.plural || e.label}</Link>)}
              </section>
            )
          })}
        </div>
      </div>
    </div>
  )
}
