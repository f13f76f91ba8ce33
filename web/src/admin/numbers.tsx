import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { get, messageOf, put } from '@/api/http'
import { toast } from '@/lib/toast'
import { done } from '@/lib/undo'
import { useSubmit } from '@/lib/useForm'
import { useMeta } from '@/meta/hooks'
import { Dialog, Failure, Labelled, Skeleton } from '@/ui/basics'
import { Section } from './layout'

interface Series { series: string; entity: string | null; field: string | null; pattern: string; usual: string; is_set: boolean; last: number; next: string }

export function Numbers() {
  const { t } = useTranslation()
  const { data: meta } = useMeta()
  const { data, error, isPending, refetch } = useQuery({ queryKey: ['numbers'], queryFn: () => get<{ data: Series[] }>('/numbers').then((r) => r.data) })
  const [editing, setEditing] = useState<Series | null>(null)
  const reset = (s: Series) => void put(`/numbers/${encodeURIComponent(s.series)}`, { pattern: null }).then(() => { done(t('numbers.reset')); return refetch() }).catch((e) => toast.error(messageOf(e)))
  return (
    <Section wide title={t('settings.numbers')} text={t('numbers.text')}>
      {error ? <Failure error={error} retry={() => void refetch()} /> : isPending ? <Skeleton /> : (
        <div className="overflow-x-auto" tabIndex={0} role="region" aria-label={t('settings.numbers')}>
          <table className="data">
            <thead><tr><th scope="col">{t('numbers.series')}</th><th scope="col">{t('roles.entity')}</th><th scope="col">{t('numbers.pattern')}</th><th scope="col" className="end">{t('numbers.last')}</th><th scope="col">{t('numbers.next')}</th><th scope="col"><span className="visually-hidden">{t('actions')}</span></th></tr></thead>
            <tbody>{data.map((s) => (
              <tr key={s.series}>
                <th scope="row" className="!text-fg">{s.series}</th>
                <td>{s.entity ? meta?.entities[s.entity]?.plural ?? s.entity : <span className="text-muted">{t('nothing')}</span>}</td>
                <td><code>{s.pattern}</code></td>
                <td className="end num">{s.last}</td>
                <td className="num font-medium whitespace-nowrap">{s.next}</td>
                <td className="end whitespace-nowrap"><span className="inline-flex gap-2">{s.is_set && <button type="button" className="btn sm" aria-label={t('numbers.resetNamed', { name: s.series })} onClick={() => reset(s)}>{t('general.reset')}</button>}<button type="button" className="btn sm" aria-label={t('editNamed', { name: s.series })} onClick={() => setEditing(s)}>{t('edit')}</button></span></td>
              </tr>
            ))}</tbody>
          </table>
        </div>
      )}
      {editing && <Edit series={editing} onClose={() => setEditing(null)} onDone={() => { setEditing(null); done(t('saved')); void refetch() }} />}
    </Section>
  )
}

/** `INV-{yyyy}-00000` as what stands before the digits, whether the year does, and how many digits there are. */
function parts(pattern: string): { prefix: string; yearly: boolean; width: number } {
  const head = pattern.replace(/0+$/, '')
  const yearly = head.includes('{yyyy}')
  return { prefix: head.replace(/\{yyyy\}-?/, ''), yearly, width: pattern.length - head.length }
}

function Edit({ series, onClose, onDone }: { series: Series; onClose: () => void; onDone: () => void }) {
  const { t } = useTranslation()
  const [v, setV] = useState(parts(series.pattern))
  const [year] = useState(() => String(new Date().getFullYear()))
  const pattern = `${v.prefix}${v.yearly ? '{yyyy}-' : ''}${'0'.repeat(v.width)}`
  const preview = pattern.replace('{yyyy}', year).replace(/0$/, '1')
  const { submit, busy, errors, message } = useSubmit(async () => { await put(`/numbers/${encodeURIComponent(series.series)}`, { pattern }); onDone() })
  return (
    <Dialog title={t('numbers.edit', { name: series.series })} width={480} description={t('numbers.editText')} onClose={onClose} onSubmit={() => void submit()} footer={<><button type="button" className="btn" onClick={onClose}>{t('cancel')}</button><button type="submit" className="btn primary" disabled={busy || v.prefix.endsWith('0')}>{t('save')}</button></>}>
      {message && !errors.pattern && <div className="note bad mb-3" role="alert">{message}</div>}
      <div className="grid grid-cols-2 gap-4">
        <Labelled label={t('numbers.prefix')} error={errors.pattern} help={t('numbers.prefixHelp')}>{(p) => <input {...p} className="input" autoFocus maxLength={20} value={v.prefix} onChange={(e) => setV({ ...v, prefix: e.target.value })} />}</Labelled>
        <Labelled label={t('numbers.width')}>{(p) => <input {...p} className="input" type="number" min={1} max={12} value={v.width} onChange={(e) => setV({ ...v, width: Math.min(12, Math.max(1, Math.trunc(+e.target.value) || 1)) })} />}</Labelled>
      </div>
      <label className="flex items-center gap-2 min-h-6 mt-3"><input type="checkbox" checked={v.yearly} onChange={(e) => setV({ ...v, yearly: e.target.checked })} />{t('numbers.yearly')}</label>
      <p className="mt-4 mb-0" aria-live="polite">{t('numbers.preview')} <strong className="num">{preview}</strong></p>
    </Dialog>
  )
}
