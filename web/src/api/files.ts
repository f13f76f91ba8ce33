import { send, url, type Query } from './http'

export interface StoredFile { id: string; name: string; size: number; type: string; created_at?: string; created_by?: unknown }
export const fileUrl = (id: string): string => url(`/files/${id}`)
export const uploadFile = (file: File, about: Query): Promise<StoredFile> =>
  send<StoredFile>('POST', '/files', { raw: file, query: about, headers: { 'Content-Type': file.type || 'application/octet-stream', 'X-File-Name': encodeURIComponent(file.name) } }).then((a) => a.data)
