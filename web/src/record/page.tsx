import { useQuery } from '@tanstack/react-query'
import { Link, useNavigate, useParams, useSearch } from '@tanstack/react-router'
import { ChevronRight } from 'lucide-react'
import { useEffect } from 'react'
import { useTranslation } from 'react-i18next'
import { titleOf, useEntity, useMeta } from '@/meta/hooks'
import type { Entity } from '@/meta/types'
import { Failure, Skeleton } from '@/ui/basics'
import { RecordMenu } from './menu'
import { recordQuery, RecordView } from './view'

export function RecordPage() {
  const { entity: name, id } = useParams({ from: '/house/o/$entity/r/$id' })
  const { data: entity, error, refetch } = useEntity(name)
  if (error) return <Failure error={error} retry={() => void refetch()} />
  if (!entity) return <Skeleton rows={10} />
  return <Page key={`${name}/${id}`} entity={entity} id={id} />
}

function Page({ entity, id }: { entity: Entity; id: string }) {
  const { t } = useTranslation()
  const { tab } = useSearch({ from: '/house/o/$entity/r/$id' })
  const navigate = useNavigate()
  const { data: row } = useQuery(recordQuery(entity, id))
  const { data: meta } = useMeta()
  const part = meta?.entities[entity.name]?.part_of
  const title = titleOf(entity, row)
  useEffect(() => { if (title) document.title = `${title} · ${entity.label}` }, [title, entity])
  return (
    <div className="flex-1 min-h-0 flex flex-col">
      <div className="flex items-center gap-1 h-12 px-4 border-b border-line flex-none no-print">
        <nav aria-label={t('breadcrumb')} className="flex items-center gap-1 flex-1 min-w-0 text-muted">
          <Link className="link !text-muted flex-none" to="/o/$entity" params={{ entity: part ?? entity.name }} search={{}}>{part ? meta?.entities[part]?.plural : entity.plural}</Link>
          <ChevronRight size={14} className="flex-none rtl:scale-x-[-1]" aria-hidden="true" /><span className="truncate text-fg" aria-current="page">{title}</span>
        </nav>
        <RecordMenu entity={entity} id={id} version={row?.version} onGone={() => void navigate({ to: '/o/$entity', params: { entity: entity.name }, search: {} })} />
      </div>
      <RecordView entity={entity} id={id} wide tab={tab} onTab={(x) => void navigate({ to: '/o/$entity/r/$id', params: { entity: entity.name, id }, search: x === 'overview' ? {} : { tab: x }, replace: true })} />
    </div>
  )
}
