import { useQuery } from '@tanstack/react-query'
import { get } from '@/api/http'
import { changed, type SavedView, type TableSearch } from './state'

export const useViews = (entity: string) => useQuery({ queryKey: ['views', entity], queryFn: () => get<{ data: SavedView[] }>('/views', { entity }).then((r) => r.data ?? []), staleTime: 60_000, retry: false })

/** In the address: none of the saved views, though one opens by itself. */
export const NO_VIEW = 'all'
/** The address names it; else the one that opens for this person, where the address says nothing of its own. */
export const viewOf = (views: SavedView[] | undefined, search: TableSearch): SavedView | undefined =>
  search.view ? views?.find((v) => v.id === search.view) : changed(search) || search.q ? undefined : views?.find((v) => v.is_default)
