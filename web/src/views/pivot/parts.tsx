import { useQueries, useQuery } from '@tanstack/react-query'
import { useNavigate } from '@tanstack/react-router'
import { useMemo } from 'react'
import { useTranslation } from 'react-i18next'
import { usePeople } from '@/api/people'
import { meQuery, queryClient, type Me } from '@/api/session'
import { useLocale } from '@/lib/format'
import { entityQuery, expandable, metaQuery } from '@/meta/hooks'
import type { Condition, Entity, Field } from '@/meta/types'
import { readTableSearch } from '../state'
import { currencyPath, groupable, type Say, type Targets } from './cube'

/** What this entity's records name, as far as it may be read; nothing until all of it is known. */
export function useTargets(e: Entity): Targets | undefined {
  const { data: meta } = useQuery(metaQuery)
  const fields = meta ? e.fields.filter((f) => f.type === 'relation' && expandable(f)) : []
  const answers = useQueries({ queries: fields.map((f) => ({ ...entityQuery(f.ref!.entity), retry: false })) })
  const known = meta && answers.every((a) => !a.isPending)
  const key = known ? fields.map((f) => f.name).join() : ''
  return useMemo(() => (known ? Object.fromEntries(fields.flatMap((f, i) => (answers[i]?.data ? [[f.name, answers[i].data]] : []))) : undefined), [known, key, e])
}
export function useCurrency(e: Entity, targets: Targets | undefined): string | undefined {
  const { data: meta } = useQuery(metaQuery)
  return targets && currencyPath(e, targets, meta?.entities[e.name]?.part_of)
}
export function useSay(): Say {
  const { t } = useTranslation()
  const locale = useLocale()
  const people = usePeople()
  return useMemo(() => ({ t, locale, people }), [t, locale, people])
}

/** Shows the records behind what was picked as a table; the way back leads here again. */
export function useTable(): (filter: Condition | undefined, entity?: string) => void {
  const navigate = useNavigate()
  return (filter, entity) => {
    const f = filter ?? { operator: 'AND' as const, rules: [] }
    if (entity) void navigate({ to: '/o/$entity', params: { entity }, search: { filter: f } as never })
    else void navigate({ to: '.', search: ((old: Record<string, unknown>) => { const { options: _, view, sort: __, ...rest } = readTableSearch(old) as Record<string, unknown>; return { ...rest, ...(view ? { view } : {}), as: 'table', filter: f } }) as never })
  }
}

/** Fields to group by: the entity's own, then those of what it names. */
export function GroupOptions({ entity, targets, only }: { entity: Entity; targets: Targets; only?: (f: Field) => boolean }) {
  const { t } = useTranslation()
  const fits = (e: Entity) => groupable(e).filter((f) => !only || only(f))
  return (
    <>
      <optgroup label={entity.label}>{fits(entity).map((f) => <option key={f.name} value={f.name}>{f.label}</option>)}</optgroup>
      {Object.entries(targets).map(([name, target]) => {
        const via = entity.fields.find((f) => f.name === name)
        const fields = fits(target).filter((f) => !f.system)
        return via && !via.system && fields.length > 0 && <optgroup key={name} label={t('pivot.of', { name: via.label })}>{fields.map((f) => <option key={f.name} value={`${name}.${f.name}`}>{`${via.label} · ${f.label}`}</option>)}</optgroup>
      })}
    </>
  )
}

// ---- out of the page ------------------------------------------------------------------------------------------------

const cell = (s: string): string => { const safe = /^[=+\-@\t\r]/.test(s) && !/^-?\d+(\.\d+)?$/.test(s) ? `'${s}` : s; return /[",\n;]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe }
export const csv = (rows: string[][]): string => '\uFEFF' + rows.map((r) => r.map(cell).join(',')).join('\r\n') + '\r\n'
export function download(name: string, type: string, text: string): void {
  const a = document.createElement('a')
  a.href = URL.createObjectURL(new Blob([text], { type }))
  a.download = name
  a.click()
  setTimeout(() => URL.revokeObjectURL(a.href), 1000)
}
/** Prints this and nothing else of the page. */
export function printOnly(what: HTMLElement, title: string): void {
  document.querySelector('.print-sheet')?.remove()
  const sheet = document.createElement('div')
  sheet.className = 'print-sheet'
  const h = document.createElement('h1')
  h.textContent = title
  const whose = document.createElement('p')
  whose.textContent = `${queryClient.getQueryData<Me | null>(meQuery.queryKey)?.organization?.name ?? ''} · ${new Date().toLocaleString(document.documentElement.lang, { dateStyle: 'medium', timeStyle: 'short' })}`
  sheet.append(whose, h, what)
  document.body.append(sheet)
  document.body.classList.add('print-one')
  // Paper is white.
  const { theme } = document.documentElement.dataset
  document.documentElement.dataset.theme = 'light'
  const done = () => { sheet.remove(); document.body.classList.remove('print-one'); if (theme) document.documentElement.dataset.theme = theme; removeEventListener('afterprint', done) }
  addEventListener('afterprint', done)
  print()
}
