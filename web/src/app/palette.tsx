import { keepPreviousData, useQuery } from '@tanstack/react-query'
import { useNavigate } from '@tanstack/react-router'
import { Command } from 'cmdk'
import { CheckCheck, Clock, Eye, EyeOff, FileChartColumn, House, MessagesSquare, Moon, Plus, Inbox, Settings, Sun, Upload } from 'lucide-react'
import { Dialog as D } from 'radix-ui'
import { useEffect, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { get } from '@/api/http'
import { useManages, useSession } from '@/api/session'
import { rolesQuery } from '@/api/roles'
import { recents } from '@/lib/recent'
import { applyTheme } from '@/lib/theme'
import { useMenu, useMeta } from '@/meta/hooks'
import { EntityIcon } from '@/ui/icon'
import { endView, viewAs } from './viewing'

interface Hit { entity: string; id: string; title: string; snippet?: string | null }

export default function Palette({ onClose }: { onClose: () => void }) {
  const { t } = useTranslation()
  const navigate = useNavigate()
  const menu = useMenu()
  const manages = useManages()
  const { data: meta } = useMeta()
  const viewing = useSession().me?.viewing
  const [text, setText] = useState('')
  const [asked, setAsked] = useState('')
  useEffect(() => { const timer = setTimeout(() => setAsked(text.trim()), 120); return () => clearTimeout(timer) }, [text])
  const { data, isFetching } = useQuery<Hit[]>({ queryKey: ['search', asked], queryFn: ({ signal }) => get<{ data: Hit[] }>('/search', { q: asked }, signal).then((r) => r.data), enabled: asked.length > 1, placeholderData: keepPreviousData, retry: false })
  const hits = asked.length > 1 && text.trim().length > 1 ? data ?? [] : []
  const go = (f: () => void) => () => { onClose(); f() }
  const { data: roles } = useQuery({ ...rolesQuery, enabled: manages && !viewing && text.trim() !== '' })
  const words = text.toLowerCase().split(/\s+/).filter(Boolean)
  const fits = (s: string) => words.every((w) => s.toLowerCase().includes(w))
  const entities = menu.flatMap((m) => m.entities.map((e) => ({ ...e, module: m.title }))).filter((e) => fits(`${e.plural} ${e.label} ${e.module}`))
  const creatable = entities.filter((e) => meta?.entities[e.name]?.can?.create && words.length > 0).slice(0, 4)
  const pages = [
    { label: t('home'), icon: <House size={15} />, run: () => void navigate({ to: '/' }) },
    { label: t('inbox.title'), icon: <Inbox size={15} />, run: () => void navigate({ to: '/inbox', search: {} }) },
    { label: t('approvals.title'), icon: <CheckCheck size={15} />, run: () => void navigate({ to: '/approvals', search: {} }) },
    { label: t('messages.title'), icon: <MessagesSquare size={15} />, run: () => void navigate({ to: '/messages/{-$id}', params: { id: undefined }, search: {} }) },
    ...(meta?.reports?.length ? [{ label: t('reports.title'), icon: <FileChartColumn size={15} />, run: () => void navigate({ to: '/reports' }) }] : []),
    ...(words.length ? meta?.reports ?? [] : []).flatMap((m) => m.reports.map((r) => ({ label: r.label, icon: <EntityIcon name={r.icon} size={15} />, run: () => void navigate({ to: '/reports/$module/$name', params: { module: m.module, name: r.name }, search: {} }) }))),
    { label: t('settings.title'), icon: <Settings size={15} />, run: () => void navigate({ to: '/settings/profile' }) },
    { label: t('settings.members'), icon: <Settings size={15} />, run: () => void navigate({ to: '/settings/members' }) },
    ...(!manages ? [] : [
    { label: t('settings.roles'), icon: <Settings size={15} />, run: () => void navigate({ to: '/settings/roles', search: {} }) },
    { label: t('settings.fields'), icon: <Settings size={15} />, run: () => void navigate({ to: '/settings/fields', search: {} }) },
    { label: t('settings.audit'), icon: <Settings size={15} />, run: () => void navigate({ to: '/settings/audit', search: {} }) },
    ]),
    ...(viewing ? [{ label: t('viewAs.end'), icon: <EyeOff size={15} />, run: () => void endView() }] : (words.length && roles ? roles : []).map((r) => ({ label: t('viewAs.as', { role: r.label || r.name }), icon: <Eye size={15} />, run: () => void viewAs(r.id) }))),
    { label: `${t('theme.title')}: ${t('theme.light')}`, icon: <Sun size={15} />, run: () => applyTheme('light') },
    { label: `${t('theme.title')}: ${t('theme.dark')}`, icon: <Moon size={15} />, run: () => applyTheme('dark') },
  ].filter((p) => fits(p.label))
  const last = recents().filter((r) => fits(r.title) && meta?.entities[r.entity]).slice(0, 5)
  return (
    <D.Root open onOpenChange={(o) => !o && onClose()}>
      <D.Portal>
        <D.Overlay className="overlay" style={{ paddingTop: '12vh' }}>
          <D.Content className="dialog" data-modal="" style={{ maxWidth: 640 }} aria-describedby={undefined}>
            <D.Title className="visually-hidden">{t('palette.title')}</D.Title>
            <Command shouldFilter={false} label={t('palette.title')} loop>
              <div className="flex items-center gap-2 px-4 border-b border-line">
                <Command.Input value={text} onValueChange={setText} placeholder={t('palette.placeholder')} className="flex-1 h-12 bg-transparent border-0 outline-none text-base" style={{ outline: 'none' }} />
                <kbd className="kbd">esc</kbd>
              </div>
              <Command.List className="p-2 overflow-auto" style={{ maxHeight: '56vh' }} label={t('palette.title')}>
                {!isFetching && <Command.Empty className="px-3 py-6 text-center text-muted">{t('nothingFound')}</Command.Empty>}
                <Group heading={t('palette.records')} show={hits.length > 0}>
                  {hits.map((h) => {
                    const e = meta?.entities[h.entity]
                    return <Item key={h.entity + h.id} value={`r${h.entity}${h.id}`} icon={<EntityIcon name={e?.icon} size={15} />} label={h.title} hint={[e?.label, h.snippet?.replace(/<[^>]+>/g, '')].filter(Boolean).join(' · ')} onSelect={go(() => void navigate({ to: '/o/$entity/r/$id', params: { entity: h.entity, id: h.id }, search: {} }))} />
                  })}
                </Group>
                <Group heading={t('palette.recent')} show={last.length > 0}>
                  {last.map((r) => <Item key={r.id} value={`l${r.id}`} icon={<Clock size={15} />} label={r.title} hint={meta?.entities[r.entity]?.label} onSelect={go(() => void navigate({ to: '/o/$entity/r/$id', params: { entity: r.entity, id: r.id }, search: {} }))} />)}
                </Group>
                <Group heading={t('palette.goTo')} show={entities.length > 0}>
                  {entities.slice(0, words.length ? 12 : 8).map((e) => {
                    return <Item key={e.name} value={`e${e.name}`} icon={<EntityIcon name={e.icon} size={15} />} label={e.plural || e.label} hint={e.module} onSelect={go(() => void navigate({ to: '/o/$entity', params: { entity: e.name }, search: {} }))} />
                  })}
                </Group>
                <Group heading={t('palette.create')} show={creatable.length > 0}>
                  {creatable.map((e) => <Item key={e.name} value={`c${e.name}`} icon={<Plus size={15} />} label={t('newNamed', { name: e.label })} onSelect={go(() => void navigate({ to: '/o/$entity', params: { entity: e.name }, search: { new: true } }))} />)}
                  {creatable.slice(0, 2).map((e) => meta?.entities[e.name]?.can?.import && <Item key={`i${e.name}`} value={`i${e.name}`} icon={<Upload size={15} />} label={t('importNamed', { name: e.plural })} onSelect={go(() => void navigate({ to: '/o/$entity/import', params: { entity: e.name }, search: {} }))} />)}
                </Group>
                <Group heading={t('palette.pages')} show={pages.length > 0}>
                  {pages.map((p) => <Item key={p.label} value={`p${p.label}`} icon={p.icon} label={p.label} onSelect={go(p.run)} />)}
                </Group>
              </Command.List>
            </Command>
          </D.Content>
        </D.Overlay>
      </D.Portal>
    </D.Root>
  )
}

function Group({ heading, show, children }: { heading: string; show: boolean; children: React.ReactNode }) {
  return show ? <Command.Group heading={<span className="menu-label block">{heading}</span>}>{children}</Command.Group> : null
}
function Item({ value, icon, label, hint, onSelect }: { value: string; icon: React.ReactNode; label: string; hint?: string | undefined; onSelect: () => void }) {
  return <Command.Item value={value} className="item" onSelect={onSelect}><span className="text-muted flex" aria-hidden="true">{icon}</span><span className="flex-1 truncate">{label}</span>{hint && <span className="text-muted text-xs truncate max-w-[45%]">{hint}</span>}</Command.Item>
}
