import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { useState } from 'react'
import * as records from '@/api/records'
import { entityQuery, expandKey, titleOf } from '@/meta/hooks'
import { queryClient } from '@/api/session'
import type { Field } from '@/meta/types'
import { Combobox, type Choice } from '@/ui/combobox'
import type { CellProps, FieldType, InputProps } from './registry'
import { choiceOperators, text, TextInput } from './shared'

type Target = Record<string, unknown> & { id: string }

/** The target a list or a record brought along, if it still is the one the field names. */
function brought(field: Field, value: unknown, record: Record<string, unknown>): Target | null {
  if (value && typeof value === 'object') return value as Target
  const t = record[expandKey(field)]
  return t && typeof t === 'object' && (t as Target).id === value ? (t as Target) : null
}
const idOf = (value: unknown): string | null => (value && typeof value === 'object' ? (value as Target).id : value ? String(value) : null)

function useTitle(field: Field, value: unknown, record: Record<string, unknown>): { title: string; id: string | null } {
  const id = idOf(value)
  const target = brought(field, value, record)
  const named = field.ref?.title_field ? target?.[field.ref.title_field] : undefined
  const ready = named !== undefined && named !== null
  const { data } = useQuery({
    queryKey: ['title', field.ref?.entity, id], enabled: !!id && !ready && !!field.ref, staleTime: 60_000, retry: false,
    queryFn: async () => {
      const e = await queryClient.ensureQueryData(entityQuery(field.ref!.entity))
      return titleOf(e, target ?? (await records.read(field.ref!.entity, id!)))
    },
  })
  return { id, title: ready ? text(named) : data ?? (target ? text(target.name ?? target.title ?? target.number ?? target.code) : id ? id.slice(0, 8) + '…' : '') }
}

function Cell({ field, value, record, link, plain }: CellProps) {
  const { id, title } = useTitle(field, value, record)
  if (!id) return null
  if (!field.ref || plain) return <span className="txt">{title}</span>
  return <Link className="ref txt" to="/o/$entity/r/$id" params={{ entity: field.ref.entity, id }} tabIndex={link ? 0 : -1} onClick={(e) => e.stopPropagation()}>{title}</Link>
}

async function find(entity: string, q: string, signal: AbortSignal): Promise<Choice[]> {
  const e = await queryClient.ensureQueryData(entityQuery(entity))
  const page = await records.list(entity, { q, limit: 20, ...(q ? {} : e.title_field && e.fields.find((f) => f.name === e.title_field)?.sortable ? { sort: e.title_field } : {}) }, signal)
  const second = e.list.find((n) => n !== e.title_field && ['text', 'email', 'phone'].includes(e.fields.find((f) => f.name === n)?.type ?? ''))
  return page.data.map((r) => ({ id: r.id, label: titleOf(e, r), ...(second && r[second] ? { hint: text(r[second]) } : {}) }))
}

function Input(p: InputProps) {
  const { id, title } = useTitle(p.field, p.value, p.record)
  const [picked, setPicked] = useState<Choice | null>(null)
  const entity = p.field.ref?.entity
  if (!entity) return <TextInput p={p} />
  return (
    <Combobox id={p.id} value={id} shown={picked && picked.id === id ? picked.label : title} queryKey={[entity]} find={(q, s) => find(entity, q, s)} label={p.label} compact={p.compact}
      invalid={p.invalid} describedBy={p.describedBy} autoFocus={p.autoFocus} required={p.field.required}
      onPick={(c) => { setPicked(c); p.onChange(c?.id ?? null); p.onCommit?.(c?.id ?? null) }} />
  )
}
export default { Cell, Input, format: (v, f, _l) => (v && typeof v === 'object' ? text((v as Target)[f.ref?.title_field ?? 'name']) : text(v)), operators: choiceOperators, width: 180 } satisfies FieldType
