import { useQuery } from '@tanstack/react-query'
import { createElement } from 'react'
import { useTranslation } from 'react-i18next'
import { messageOf } from '@/api/http'
import * as records from '@/api/records'
import { currencyOf, typeOf } from '@/fields/registry'
import { useLocale } from '@/lib/format'
import { listFields, useEntity, wireSort } from '@/meta/hooks'
import type { Entity } from '@/meta/types'
import { columnsOf, merged, sendable } from '../state'
import { useViews } from '../views'

const MOST = 20
const COLUMNS = 5

/** The records of a view, to be read where the document speaks of them. Everybody sees what he may. */
export function LinkedTable({ href, title }: { href: string; title: string }) {
  const { t } = useTranslation()
  const at = new URL(href, location.origin)
  const name = (/^\/o\/([\w-]+)$/.exec(at.pathname)?.[1] ?? '').replace('-', '.')
  const { data: entity, error } = useEntity(name)
  const { data: views } = useViews(name)
  return (
    <figure className="m-0">
      <figcaption className="flex items-center gap-2 px-3 py-1.5 border-b border-line"><strong className="font-medium truncate flex-1">{title || entity?.plural}</strong><a className="link text-xs no-print" href={href}>{t('doc.open')}</a></figcaption>
      {error ? <p className="m-0 px-3 py-2 text-muted">{t('doc.tableHidden')}</p> : entity && views ? <Rows entity={entity} view={views.find((v) => v.id === at.searchParams.get('view'))} /> : <p className="m-0 px-3 py-2"><span className="skel" style={{ display: 'block', width: '40%' }} /></p>}
    </figure>
  )
}

function Rows({ entity, view }: { entity: Entity; view: Parameters<typeof merged>[1] }) {
  const { t } = useTranslation()
  const locale = useLocale()
  const state = merged({}, view)
  const columns = columnsOf(entity, state).slice(0, COLUMNS)
  const asked: records.ListParams = { filter: sendable(state.filter) ?? null, sort: wireSort(entity, state.sort) ?? '', fields: listFields(entity, columns), limit: MOST, count: 'none' }
  const { data, error } = useQuery({ queryKey: ['rows', entity.name, { doc: asked }], staleTime: 20_000, queryFn: ({ signal }) => records.list(entity.name, asked, signal) })
  if (error) return <p className="m-0 px-3 py-2 text-bad">{messageOf(error)}</p>
  return (
    <div className="overflow-x-auto" tabIndex={0} role="group" aria-label={entity.plural}>
      <table className="data">
        <thead><tr>{columns.map((f) => <th key={f.name} className={typeOf(f).align === 'end' ? 'end' : undefined}>{f.label}</th>)}</tr></thead>
        <tbody>{data?.data.map((row) => <tr key={row.id}>{columns.map((f) => <td key={f.name} className={typeOf(f).align === 'end' ? 'end' : undefined}>{createElement(typeOf(f).Cell, { field: f, value: row[f.name], record: row, locale, currency: currencyOf(f, row), plain: true })}</td>)}</tr>)}</tbody>
      </table>
      {data && (data.data.length === 0 || data.next) && <p className="m-0 px-3 py-1.5 text-muted text-xs">{data.next ? t('doc.tableMore', { n: MOST }) : t('doc.tableEmpty')}</p>}
    </div>
  )
}
