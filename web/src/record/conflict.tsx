import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { messageOf } from '@/api/http'
import * as records from '@/api/records'
import { typeOf } from '@/fields/registry'
import { useLocale } from '@/lib/format'
import { done } from '@/lib/undo'
import { expandable, expandKey, fieldOf, useEntity } from '@/meta/hooks'
import type { Entity, Row } from '@/meta/types'
import { Dialog, Skeleton } from '@/ui/basics'

/** Somebody was faster: what they wrote stands beside what you wrote, and you choose. */
export default function ConflictDialog({ entity, id, changes, onClose, onDone }: { entity: Entity; id: string; changes: Record<string, unknown>; onClose: () => void; onDone: (row: Row) => void }) {
  const { t } = useTranslation()
  const locale = useLocale()
  const { data: meta } = useEntity(entity.name)
  const names = Object.keys(changes)
  const expand = names.map((n) => fieldOf(entity, n)).filter((f) => !!f && expandable(f)).map((f) => expandKey(f!)).join(',')
  const { data: theirs, error } = useQuery({ queryKey: ['fresh', entity.name, id], queryFn: () => records.read(entity.name, id, expand), staleTime: 0, gcTime: 0 })
  const [problem, setProblem] = useState('')
  const overwrite = async () => {
    if (!theirs) return
    try {
      const row = await records.update(entity.name, id, theirs.version, changes)
      records.putRow(entity.name, row)
      done(t('saved'))
      onDone(row)
    } catch (e) { setProblem(messageOf(e)) }
  }
  return (
    <Dialog title={t('conflict.title')} width={600} onClose={onClose} description={t('conflict.text')} footer={<>
      <button type="button" className="btn" onClick={() => { if (theirs) records.putRow(entity.name, theirs); onClose() }}>{t('conflict.reload')}</button>
      <button type="button" className="btn danger" disabled={!theirs} onClick={() => void overwrite()}>{t('conflict.overwrite')}</button></>}>
      {(problem || error) && <div className="note bad mb-3" role="alert">{problem || messageOf(error)}</div>}
      {!theirs && !error && <Skeleton rows={2} />}
      {theirs && (
        <table className="data">
          <thead><tr><th scope="col">{t('conflict.field')}</th><th scope="col">{t('conflict.yours')}</th><th scope="col">{t('conflict.theirs')}</th></tr></thead>
          <tbody>{names.map((n) => {
            const f = meta && fieldOf(meta, n)
            if (!f) return <tr key={n}><td>{entity.lines.find((l) => l.name === n)?.label ?? t('lines.title')}</td><td>{t('conflict.edited')}</td><td>—</td></tr>
            const { Cell } = typeOf(f)
            return <tr key={n}><td className="text-muted">{f.label}</td><td><Cell field={f} value={changes[n]} record={{}} locale={locale} /></td><td><Cell field={f} value={theirs[n]} record={theirs} locale={locale} /></td></tr>
          })}</tbody>
        </table>
      )}
    </Dialog>
  )
}
