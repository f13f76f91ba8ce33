import { useInfiniteQuery } from '@tanstack/react-query'
import { useTranslation } from 'react-i18next'
import { send } from '@/api/http'
import { formatNumber, type Locale } from '@/lib/format'
import type { Field, Option } from '@/meta/types'
import { Chip, Skeleton } from '@/ui/basics'
import { Gone, useAgain, useGuestLocale, Value, type BodyProps, type Page } from './shared'

const PAGE = 20

/** The columns of a board with their cards, to be looked at. */
export default function Board(p: BodyProps) {
  const { t } = useTranslation()
  const locale = useGuestLocale(p.opened)
  const board = p.opened.board!
  const fields = p.opened.entity.fields.filter((f) => f.name !== board.field)
  const lanes: Option[] = [...board.options, ...(board.required ? [] : [{ id: '', label: t('share.noLane'), color: 'gray' }])]
  return <div className="shared-board" role="region" aria-label={p.opened.name} tabIndex={0}>{lanes.map((lane) => <Lane key={lane.id} lane={lane} fields={fields} locale={locale} {...p} />)}</div>
}

function Lane({ lane, fields, locale, token, opened, again }: BodyProps & { lane: Option; fields: Field[]; locale: Locale }) {
  const { t } = useTranslation()
  const rows = useInfiniteQuery({
    queryKey: ['shared', token, 'lane', opened.key, lane.id], retry: false, gcTime: 0, initialPageParam: 0,
    queryFn: ({ pageParam, signal }) => send<Page>('GET', `/public/${encodeURIComponent(token)}/rows?lane=${encodeURIComponent(lane.id)}&offset=${pageParam}&limit=${PAGE}`, { headers: { 'X-Share-Key': opened.key }, signal }).then((a) => a.data),
    getNextPageParam: (last, all) => (last.data.length === PAGE ? all.length * PAGE : undefined),
  })
  const over = useAgain(rows.error, again)
  const cards = rows.data?.pages.flatMap((x) => x.data) ?? []
  const count = rows.data?.pages[0]?.count
  const [title, ...rest] = fields
  // Who has nothing here says so by its absence.
  if (lane.id === '' && rows.data && !cards.length) return null
  return (
    <section aria-label={lane.label}>
      <h2 className="m-0 mb-2 flex items-center gap-2 text-sm font-semibold"><Chip option={lane} />{count && <span className="text-muted num font-normal">{formatNumber(count.value, locale)}</span>}</h2>
      {rows.error && !over ? <Gone error={rows.error} /> : !rows.data ? <Skeleton rows={3} /> : (
        <ul className="list-none m-0 p-0 flex flex-col gap-2">
          {cards.map((row, i) => (
            <li key={i} className="sheet p-2.5">
              {title && <div className="font-medium mb-1"><Value field={title} row={row} locale={locale} /></div>}
              <dl className="m-0 shared-card text-xs">{rest.slice(0, 5).map((f) => row[f.name] !== null && row[f.name] !== '' && <div key={f.name}><dt>{f.label}</dt><dd><Value field={f} row={row} locale={locale} /></dd></div>)}</dl>
            </li>
          ))}
        </ul>
      )}
      {rows.hasNextPage && <button type="button" className="btn sm mt-2 w-full max-md:!h-11" disabled={rows.isFetchingNextPage} onClick={() => void rows.fetchNextPage()}>{t('showMore')}</button>}
    </section>
  )
}
