import { useQuery } from '@tanstack/react-query'
import { get } from '@/api/http'
import type { SavedView } from './state'

export const useViews = (entity: string) => useQuery({ queryKey: ['views', entity], queryFn: () => get<{ data: SavedView[] }>('/views', { entity }).then((r) => r.data ?? []), staleTime: 60_000, retry: false })
