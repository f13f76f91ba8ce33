import { keepPreviousData, useQuery } from '@tanstack/react-query'
import { send } from '@/api/http'
import { typeOf } from '@/fields/registry'
import { instantToLocal, type Locale } from '@/lib/format'
import type { Option, Row } from '@/meta/types'
import { hueName } from '@/ui/basics'
import type { Times } from '@/views/calendar/when'
import { WORDS, type BodyProps, type Opened, type Page, type Values } from './shared'

const PAGE = 100
interface Days { rows: Row[]; more: boolean; near: string[] }

/** What lies between two days, both named, as far as there is room for it; where there is nothing, the days nearest to them that have something. */
export function useDays({ token, opened }: BodyProps, from: string, after: string, most: number, zone: string) {
  return useQuery({
    queryKey: ['shared', token, 'days', opened.key, from, after], retry: false, gcTime: 0, placeholderData: keepPreviousData,
    queryFn: async ({ signal }): Promise<Days> => {
      const rows: Values[] = []
      let page: Page & { more: boolean; near?: (string | null)[] }
      let offset = 0
      do {
        page = (await send<typeof page>('GET', `/public/${encodeURIComponent(token)}/rows`, { query: { from, to: after, offset, limit: PAGE }, headers: { 'X-Share-Key': opened.key }, signal })).data
        rows.push(...page.data)
        offset += PAGE
      } while (page.more && offset < most)
      const near = (page.near ?? []).flatMap((d) => (d ? [d.length > 10 ? instantToLocal(d, zone).slice(0, 10) : d] : []))
      return { rows: rows.map((row, i) => ({ ...row, id: String(i) })), more: page.more, near }
    },
  })
}

export const timesOf = ({ time }: Opened, zone: string): Times => ({ start: time!.start, end: time!.end ?? undefined, zone })
/** What a record is called: the first of what is shown of it. */
export function called({ entity }: Opened, row: Values, locale: Locale): string {
  const [field] = entity.fields
  const value = field && row[field.name]
  return value === null || value === undefined ? entity.label : WORDS.has(field!.type) ? String(value) : typeOf(field!).format(value, field!, locale)
}
export function colourOf({ time }: Opened, row: Values): Option | undefined {
  const value = time?.colour && row[time.colour.name]
  return time?.colour?.options?.find((o) => o.id === (Array.isArray(value) ? value[0] : value))
}
export const hueIn = (opened: Opened, row: Values): string => hueName(colourOf(opened, row))
