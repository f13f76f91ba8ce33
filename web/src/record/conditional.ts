import { useEffect, useMemo, useState } from 'react'
import { useSession } from '@/api/session'
import type { Entity } from '@/meta/types'
import type { Fit } from './fitting'

const all: Fit = (rows) => rows
// A moment, until conditions can be asked.
const unasked: Fit = (rows) => rows.map((r) => r.filter((f) => !f.visible_when)).filter((r) => r.length)

/** The fields that are there for a record of these values, and required where they are so; see `fitting`, which comes when a field wants it. */
export function useFitting(entity: Entity): Fit {
  const zone = useSession().me?.organization?.time_zone || 'UTC'
  const asks = entity.fields.some((f) => f.visible_when || f.required_when)
  const [made, setMade] = useState<typeof import('./fitting')>()
  useEffect(() => { if (asks) void import('./fitting').then((m) => setMade(m)) }, [asks])
  return useMemo(() => (asks ? made?.fitting(entity, zone) ?? unasked : all), [asks, made, entity, zone])
}
