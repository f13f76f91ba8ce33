import i18next from 'i18next'

export interface FieldError { field: string; message: string }

/** What the server refused, as it said it (RFC 9457). */
export class Problem extends Error {
  status: number
  errors: FieldError[]
  body: Record<string, unknown>
  constructor(status: number, body: Record<string, unknown>) {
    super(String(body.detail ?? body.title ?? i18next.t('error.status', { status })))
    this.status = status
    this.body = body
    this.errors = Array.isArray(body.errors) ? (body.errors as FieldError[]) : []
  }
}

export function messageOf(e: unknown): string {
  if (e instanceof Problem) {
    const first = e.errors[0]
    // The detail usually says what the first error says, with its place before it.
    if (first && e.message.includes(first.message)) return first.message
    return first ? `${e.message} ${first.message}` : e.message
  }
  if (e instanceof TypeError) return i18next.t('error.offline')
  return e instanceof Error ? e.message : String(e)
}

export interface Answer<T> { data: T; status: number; headers: Headers }
export type Query = Record<string, string | number | boolean | null | undefined>
interface Options { query?: Query; body?: unknown; raw?: BodyInit; headers?: Record<string, string>; signal?: AbortSignal | undefined }

export const BASE = '/api/v1'

export function url(path: string, query?: Query): string {
  const q = new URLSearchParams()
  for (const [k, v] of Object.entries(query ?? {})) if (v !== undefined && v !== null && v !== '') q.set(k, String(v))
  const s = q.toString()
  return BASE + path + (s ? '?' + s : '')
}

let onUnauthorized: () => void = () => {}
export const whenUnauthorized = (f: () => void): void => { onUnauthorized = f }

let session = 0
/** Somebody came or went: a late answer to what was asked before says nothing about who is here now. */
export const beginSession = (): void => { session += 1 }

export async function send<T>(method: string, path: string, o: Options = {}): Promise<Answer<T>> {
  const headers: Record<string, string> = { Accept: 'application/json', 'Accept-Language': document.documentElement.lang || 'en', ...o.headers }
  if (o.body !== undefined) headers['Content-Type'] = 'application/json'
  const asked = session
  const res = await fetch(url(path, o.query), { method, headers, body: o.raw ?? (o.body === undefined ? null : JSON.stringify(o.body)), signal: o.signal ?? null, credentials: 'same-origin' })
  const text = res.status === 204 ? '' : await res.text()
  let data: unknown = null
  try { data = text ? JSON.parse(text) : null } catch { data = null }
  if (!res.ok) {
    if (res.status === 401 && asked === session && !/^\/(auth|public)\/|^\/me$/.test(path)) onUnauthorized()
    throw new Problem(res.status, (data as Record<string, unknown>) ?? {})
  }
  return { data: data as T, status: res.status, headers: res.headers }
}

export const get = <T>(path: string, query?: Query, signal?: AbortSignal): Promise<T> => send<T>('GET', path, { ...(query ? { query } : {}), signal }).then((a) => a.data)
export const post = <T>(path: string, body: unknown = {}, headers: Record<string, string> = {}): Promise<T> => send<T>('POST', path, { body, headers }).then((a) => a.data)
export const put = <T>(path: string, body: unknown): Promise<T> => send<T>('PUT', path, { body }).then((a) => a.data)
export const patch = <T>(path: string, body: unknown, headers: Record<string, string> = {}): Promise<T> => send<T>('PATCH', path, { body, headers }).then((a) => a.data)
export const del = (path: string, headers: Record<string, string> = {}): Promise<void> => send<void>('DELETE', path, { headers }).then(() => undefined)
