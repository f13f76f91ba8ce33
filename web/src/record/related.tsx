import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { clsx } from 'clsx'
import { useTranslation } from 'react-i18next'
import * as records from '@/api/records'
import { queryClient } from '@/api/session'
import { typeOf } from '@/fields/registry'
import { formatNumber, useLocale } from '@/lib/format'
import { columnsOf } from '@/views/state'
import { entityQuery, listFields, useEntity, useMeta } from '@/meta/hooks'
import type { Entity, Field, Related as Rel } from '@/meta/types'
import { Skeleton } from '@/ui/basics'

/** Records of other kinds that point at this one. */
export function Related({ entity, id, wide }: { entity: Entity; id: string; wide: boolean }) {
  const { t } = useTranslation()
  const { data: meta } = useMeta()
  // A server that does not say who points here is asked for every kind, once a session.
  const { data: found, isPending } = useQuery({ queryKey: ['pointing', entity.name], enabled: !entity.related && !!meta, staleTime: Infinity, queryFn: () => pointingAt(entity.name, Object.keys(meta!.entities).filter((n) => !meta!.entities[n]!.part_of)) })
  const all = (entity.related ?? found ?? []).filter((r) => meta?.entities[r.entity] && !entity.lines.some((l) => l.entity === r.entity))
  if (!entity.related && isPending) return <Skeleton rows={4} />
  if (all.length === 0) return <div className="p-4 text-muted">{t('related.none')}</div>
  return <div className={clsx('p-4 space-y-5', wide && '!px-6')}>{all.map((r) => <RelatedList key={r.entity + r.field} rel={r} id={id} wide={wide} />)}</div>
}

export async function pointingAt(target: string, names: string[]): Promise<Rel[]> {
  const out: Rel[] = []
  for (let i = 0; i < names.length; i += 6) {
    const metas = await Promise.all(names.slice(i, i + 6).map((n) => queryClient.ensureQueryData(entityQuery(n)).catch(() => null)))
    for (const m of metas) for (const f of m?.fields ?? []) if (f.type === 'relation' && f.ref?.entity === target) out.push({ entity: m!.name, field: f.name, label: m!.plural, by: f.label })
  }
  return out
}

/** As many columns as there is room for: the name, the state and the sum before all others. */
function telling(e: Entity, all: Field[], room: number): Field[] {
  const must = new Set([all[0], all.find((f) => f.name === e.states?.field), all.findLast((f) => f.type === 'money')])
  let spare = room - [...must].filter(Boolean).length
  return all.filter((f) => must.has(f) || spare-- > 0).slice(0, room)
}

function RelatedList({ rel, id, wide }: { rel: Rel; id: string; wide: boolean }) {
  const { t } = useTranslation()
  const locale = useLocale()
  const { data: e } = useEntity(rel.entity)
  const columns = e ? telling(e, columnsOf(e, {}).filter((f) => f.name !== rel.field), wide ? 7 : 4) : []
  const filter = { operator: 'AND' as const, rules: [{ field: rel.field, operator: 'equals', value: id }] }
  const { data, error } = useQuery({
    queryKey: ['related', rel.entity, rel.field, id], enabled: !!e, retry: false,
    queryFn: () => records.list(rel.entity, { filter, limit: 10, count: 'exact', fields: listFields(e!, columns) }),
  })
  const Heading = wide ? 'h2' : 'h3'
  const label = rel.label || e?.plural || rel.entity
  const total = data?.count?.value ?? data?.data.length ?? 0
  const empty = data?.data.length === 0
  return (
    <section aria-label={label}>
      <div className="flex items-center gap-2 mb-1">
        <Heading className="m-0 text-2xs font-semibold text-faint flex-1">{label}{data ? ` · ${formatNumber(total, locale)}` : ''}</Heading>
        {e && total > 10 && <Link className="link text-xs" to="/o/$entity" params={{ entity: rel.entity }} search={{ filter }}>{t('related.all')}</Link>}
      </div>
      {error ? <div className="text-muted">{t('related.hidden')}</div> : !data ? <Skeleton rows={2} /> : empty ? null : (
        <table className="data">
          <thead><tr>{columns.map((f, i) => <th key={f.name} scope="col" className={typeOf(f).align} style={i === 0 ? { paddingInlineStart: 0 } : undefined}>{f.label}</th>)}</tr></thead>
          <tbody>{data.data.map((r) => (
            <tr key={r.id}>{columns.map((f, i) => {
              const { Cell, align } = typeOf(f)
              const inner = <Cell field={f} value={r[f.name]} record={r} locale={locale} link={i > 0} />
              return <td key={f.name} className={clsx(align, align && 'num')} style={i === 0 ? { paddingInlineStart: 0 } : undefined}>{i === 0 ? <Link className="ref font-medium" to="/o/$entity/r/$id" params={{ entity: rel.entity, id: r.id }} search={{}}>{f.type === 'relation' ? r.id.slice(0, 8) : typeOf(f).format(r[f.name], f, locale) || '—'}</Link> : inner}</td>
            })}</tr>
          ))}</tbody>
        </table>
      )}
    </section>
  )
}
