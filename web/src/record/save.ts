import i18next from 'i18next'
import * as records from '@/api/records'
import { Problem } from '@/api/http'
import { done } from '@/lib/undo'
import type { Entity, Row } from '@/meta/types'

/** Writes changed fields and offers the way back: the reverse write, with the version this one made. */
export async function saveFields(entity: Entity, row: Row, changes: Record<string, unknown>, label?: string): Promise<Row> {
  const before = Object.fromEntries(Object.keys(changes).map((k) => [k, row[k] ?? null]))
  const fresh = await records.update(entity.name, row.id, row.version, changes)
  records.putRow(entity.name, fresh)
  const reversible = Object.values(changes).every((v) => !Array.isArray(v) || v.every((x) => typeof x !== 'object'))
  done(label ?? i18next.t('saved'), reversible ? async () => {
    const back = await records.update(entity.name, row.id, fresh.version, before)
    records.putRow(entity.name, back)
    records.refresh(entity.name)
  } : undefined)
  return fresh
}

export const isStale = (e: unknown): boolean => e instanceof Problem && (e.status === 412 || (e.status === 409 && !!e.body.current))
