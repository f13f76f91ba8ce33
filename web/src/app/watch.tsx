import { useNavigate, useRouterState } from '@tanstack/react-router'
import { CloudOff, CloudUpload, Eye, RefreshCw, Trash2 } from 'lucide-react'
import { useCallback, useEffect, useRef, useState, type ReactNode } from 'react'
import { useTranslation } from 'react-i18next'
import { meQuery, queryClient, useSession, type Viewing } from '@/api/session'
import { formatAgo, useLocale } from '@/lib/format'
import { toast } from '@/lib/toast'
import { keep, mend } from '@/record/kept'
import { Dialog } from '@/ui/basics'
import { tryNow, useLive, useLost } from './live'
import { PrintTop, usePrinting, usePaper } from './print'
import { isOld, isTyping } from './upgrade'
import { endView } from './viewing'
import { drop, dropAll, load, put, sendAll, useWaiting, waiting, type Waiting } from './waiting'

const reload = () => { keep(); location.reload() }
const HOUR = 3_600_000

/** The part that works without a connection. It is kept anew a while after the start, when nothing else is being fetched. */
function useWorker(): void {
  useEffect(() => {
    if (!import.meta.env.PROD || !('serviceWorker' in navigator)) return
    const worker = navigator.serviceWorker
    // From now on answers are kept, if it is known whose they are.
    const taken = () => void queryClient.refetchQueries({ queryKey: meQuery.queryKey }).then(() => queryClient.invalidateQueries({ predicate: (q) => q.queryKey[0] !== 'me' }))
    if (!worker.controller) worker.addEventListener('controllerchange', taken, { once: true })
    void worker.register('/sw.js').catch(() => { /* without it there is a connection or nothing */ })
    const timer = setTimeout(() => void worker.ready.then((r) => r.active?.postMessage('keep')), 4_000)
    return () => { clearTimeout(timer); worker.removeEventListener('controllerchange', taken) }
  }, [])
}

/** What goes on beside the page: the stream, whether the server is there, what waits for it, whether it has become a newer one. */
export default function Watch() {
  const { t } = useTranslation()
  const locale = useLocale()
  const { me } = useSession()
  // Who only looks sends nothing that waited.
  const owner = me?.organization && !me.viewing ? `${me.user.id}:${me.organization.id}` : ''
  const lost = useLost()
  const all = useWaiting()
  const [old, setOld] = useState(false)
  const [open, setOpen] = useState(false)
  const [leaving, setLeaving] = useState<(() => void) | null>(null)
  const path = useRouterState({ select: (s) => s.location.pathname })
  // Another tab may have begun or ended looking as a role: what is shown must be as the session is.
  const role = me && (me.viewing?.role?.id ?? '')
  const looked = useRef(role)
  useEffect(() => { if (role !== null && looked.current !== null && role !== looked.current) location.assign('/'); looked.current = role }, [role])
  useWorker()
  usePaper()
  const printing = usePrinting()

  const send = useCallback(async () => {
    if (!owner) return
    const { sent, refused } = await sendAll(owner)
    if (sent.length) toast.success(t('line.sent', { count: sent.length }))
    if (refused.length) { toast.error(t('line.refused', { count: refused.length })); setOpen(true) }
  }, [owner, t])
  useEffect(() => { if (owner) void load(owner).then(() => (waiting().some((w) => !w.refused) ? send() : undefined)).catch(() => { /* no place to keep anything */ }) }, [owner, send])
  const look = useCallback(async () => {
    if (!(await isOld())) return
    if (isTyping()) setOld(true)
    else reload()
  }, [])
  useLive(useCallback(() => void send().then(look), [send, look]))
  useEffect(() => { const timer = setInterval(() => void look(), HOUR); return () => clearInterval(timer) }, [look])
  // What was typed is saved by the next page, or was not to be kept.
  const first = useRef(path)
  useEffect(() => { if (old && path !== first.current && !isTyping()) reload(); first.current = path }, [path, old])
  const was = useRef(lost)
  useEffect(() => {
    if (was.current !== null && lost === null) toast.success(t('line.back'))
    was.current = lost
  }, [lost, t])

  useEffect(() => {
    const waits = (e: Event) => {
      if (!owner) return
      e.preventDefault()
      const { from, ...made } = (e as CustomEvent<Waiting & { from?: string }>).detail
      const w: Waiting = { ...made, owner, at: Date.now() }
      void put(w).then(() => (from ? drop(from) : undefined)).then(() => toast(t('line.kept', { name: w.label })), () => toast.error(t('error.offline')))
    }
    const mended = (e: Event) => void drop((e as CustomEvent<string>).detail)
    const leave = (e: Event) => {
      if (waiting().length) { e.preventDefault(); setLeaving(() => (e as CustomEvent<() => void>).detail) }
      localStorage.removeItem('work')
    }
    addEventListener('fondaco:waits', waits)
    addEventListener('fondaco:mended', mended)
    addEventListener('fondaco:leave', leave)
    return () => { removeEventListener('fondaco:waits', waits); removeEventListener('fondaco:mended', mended); removeEventListener('fondaco:leave', leave) }
  }, [owner, t])

  const refused = all.filter((w) => w.refused).length
  const many = all.length > 0 && <button type="button" className="btn sm" onClick={() => setOpen(true)}>{refused ? t('line.mendMany', { count: refused }) : t('line.waits', { count: all.length })}</button>
  return (
    <>
      {printing && <PrintTop />}
      {me?.viewing && <ViewingBanner viewing={me.viewing} />}
      {lost !== null ? <Notice icon={<CloudOff size={15} aria-hidden="true" />} text={t('line.lostSince', { time: new Intl.DateTimeFormat(locale.locale, { timeStyle: 'short', timeZone: locale.zone }).format(lost) })}>{many}<button type="button" className="btn sm" onClick={tryNow}>{t('line.now')}</button></Notice>
        : old ? <Notice icon={<RefreshCw size={15} aria-hidden="true" />} text={t('line.newer')}>{many}<button type="button" className="btn sm" onClick={reload}>{t('line.reload')}</button></Notice>
        : all.length > 0 && <Notice icon={<CloudUpload size={15} aria-hidden="true" />} text={refused ? t('line.refused', { count: refused }) : t('line.sending', { count: all.length })}>{many}{!refused && <button type="button" className="btn sm" onClick={() => void send()}>{t('line.now')}</button>}</Notice>}
      {open && all.length > 0 && <List all={all} onClose={() => setOpen(false)} />}
      {leaving && <Dialog title={t('line.leaveTitle', { count: all.length })} width={440} onClose={() => setLeaving(null)} footer={<>
        <button type="button" className="btn" onClick={() => setLeaving(null)}>{t('cancel')}</button>
        <button type="button" className="btn danger" onClick={() => void dropAll().then(leaving)}>{t('line.leave')}</button></>}><p className="m-0 text-muted">{t('line.leaveText')}</p></Dialog>}
    </>
  )
}

function Notice({ icon, text, children }: { icon: ReactNode; text: string; children: ReactNode }) {
  return <div role="status" className="flex items-center flex-wrap gap-2 px-3 py-1.5 border border-line rounded-lg bg-raised no-print flex-none md:mb-2">{icon}<span className="flex-1 min-w-0">{text}</span>{children}</div>
}

/** Says above every page that it is seen as a role sees it, and that nothing can be changed. */
function ViewingBanner({ viewing }: { viewing: Viewing }) {
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

/** What waits to be sent, in its order; what was refused, to be mended in its form. */
function List({ all, onClose }: { all: Waiting[]; onClose: () => void }) {
  const { t } = useTranslation()
  const locale = useLocale()
  const navigate = useNavigate()
  const repair = (w: Waiting) => {
    mend(w)
    // One that was refused stays until it is mended; one that waits must not be sent while it is being changed.
    void (w.refused ? Promise.resolve() : drop(w.key)).then(() => { onClose(); void navigate({ to: '/o/$entity', params: { entity: w.entity }, search: { new: true } }) })
  }
  return (
    <Dialog title={t('line.listTitle')} width={520} description={t('line.listText')} onClose={onClose}>
      <ul className="list-none m-0 p-0">
        {all.map((w) => (
          <li key={w.key} className="flex items-start gap-2 py-2 border-t border-line first:border-t-0">
            <div className="flex-1 min-w-0">
              <div className="font-medium truncate">{w.title || w.label}</div>
              <div className="text-xs text-muted">{w.label} · {w.refused ? '' : `${t('line.waiting')} · `}{formatAgo(new Date(w.at).toISOString(), locale)}</div>
              {w.refused && <div className="text-xs text-bad mt-0.5">{w.refused.message}{w.refused.errors[0] && !w.refused.message.includes(w.refused.errors[0].message) ? ` ${w.refused.errors[0].message}` : ''}</div>}
            </div>
            <button type="button" className={w.refused ? 'btn sm primary' : 'btn sm'} aria-label={w.refused ? t('line.mendNamed', { name: w.title || w.label }) : t('editNamed', { name: w.title || w.label })} onClick={() => repair(w)}>{w.refused ? t('line.mend') : t('edit')}</button>
            <button type="button" className="btn ghost icon sm" aria-label={t('line.dropNamed', { name: w.title || w.label })} onClick={() => void drop(w.key)}><Trash2 size={14} /></button>
          </li>
        ))}
      </ul>
    </Dialog>
  )
}
