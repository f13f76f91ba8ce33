import { get } from './http'

export type Scope = 'none' | 'own' | 'team' | 'workspace' | 'all'
export interface Role { id: string; name: string; label: string; is_system: boolean; version?: number; grants: Record<string, Partial<Record<string, Scope>>>; fields: Record<string, Record<string, 'none' | 'read' | 'write'>> }
export const rolesQuery = { queryKey: ['roles'], staleTime: 60_000, queryFn: () => get<{ data: Role[] }>('/roles').then((r) => r.data) }
