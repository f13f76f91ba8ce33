import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { messageOf } from '@/api/http'
import * as records from '@/api/records'
import { toast } from '@/lib/toast'
import { done } from '@/lib/undo'
import { useEntity } from '@/meta/hooks'
import type { Row } from '@/meta/types'

/** Moves the record on, as its own actions do; what the server has against it is said. */
export default function Move({ entity, action, said, record }: { entity: string; action: string; said: string; record: Record<string, unknown> }) {
  const { t } = useTranslation()
  const { data: meta } = useEntity(entity)
  const [busy, setBusy] = useState(false)
  const row = record as Row
  if (!row.id) return null
  const moves = meta?.states?.moves.filter((m) => m.action === action) ?? []
  const here = meta?.states ? row[meta.states.field] : undefined
  // Where the way does not lead on from here the button rests.
  const leads = here === undefined || moves.some((m) => m.from === here || (Array.isArray(m.from) && m.from.includes(String(here))))
  const go = async () => {
    setBusy(true)
    try {
      const now = row.version === undefined ? await records.read(entity, row.id) : row
      await records.act(entity, now, action, {})
      records.refresh(entity)
      done(t('actionDone', { action: said }))
    } catch (e) { toast.error(`${said}: ${messageOf(e)}`, { duration: 9000 }) } finally { setBusy(false) }
  }
  return <button type="button" className="btn sm" disabled={busy || !leads} onClick={(e) => { e.stopPropagation(); void go() }} onKeyDown={(e) => e.stopPropagation()}>{said}</button>
}
