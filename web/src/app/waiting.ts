import { useSyncExternalStore } from 'react'
import { Problem, type FieldError } from '@/api/http'
import * as records from '@/api/records'
import type { LineRow } from '@/record/draft'

/** A record made without a connection: what is to be sent, and the form it came from, for mending. */
export interface Waiting {
  /** Its Idempotency-Key: sent twice it is still one record. */
  key: string
  owner: string; entity: string; label: string; title: string; at: number
  body: Record<string, unknown>
  form: { values: Record<string, unknown>; lines: Record<string, LineRow[]>; touched: string[] }
  keysOf: Record<string, string[]>
  refused?: { message: string; errors: FieldError[] }
}

let all: Waiting[] = []
const ears = new Set<() => void>()
const tell = (next: Waiting[]): void => { all = next; for (const f of ears) f() }
export const useWaiting = (): Waiting[] => useSyncExternalStore((f) => { ears.add(f); return () => ears.delete(f) }, () => all)
export const waiting = (): Waiting[] => all

const STORE = 'waiting'
const open = (): Promise<IDBDatabase> => new Promise((good, bad) => {
  const r = indexedDB.open('fondaco', 1)
  r.onupgradeneeded = () => r.result.createObjectStore(STORE, { keyPath: 'key' })
  r.onsuccess = () => good(r.result)
  r.addEventListener('error', () => bad(r.error as Error))
})
async function store<T>(mode: IDBTransactionMode, f: (s: IDBObjectStore) => IDBRequest<T>): Promise<T> {
  const db = await open()
  try {
    return await new Promise<T>((good, bad) => {
      const tx = db.transaction(STORE, mode)
      const r = f(tx.objectStore(STORE))
      tx.oncomplete = () => good(r.result)
      tx.addEventListener('abort', () => bad(tx.error as Error))
    })
  } finally { db.close() }
}

/** Reads what waits for this person in this company; what is left of anybody else is deleted unread. */
export async function load(owner: string): Promise<void> {
  const kept = await store('readonly', (s) => s.getAll() as IDBRequest<Waiting[]>)
  for (const w of kept) if (w.owner !== owner) await store('readwrite', (s) => s.delete(w.key))
  tell(kept.filter((w) => w.owner === owner).sort((a, b) => a.at - b.at))
}
export async function put(w: Waiting): Promise<void> { await store('readwrite', (s) => s.put(w)); tell([...all.filter((x) => x.key !== w.key), w].sort((a, b) => a.at - b.at)) }
export async function drop(key: string): Promise<void> { await store('readwrite', (s) => s.delete(key)); tell(all.filter((x) => x.key !== key)) }
export async function dropAll(): Promise<void> { await store('readwrite', (s) => s.clear()); tell([]) }

/** In the order they were made, one after another, by one tab. A refusal is kept beside its record and stops nothing else. */
export async function sendAll(owner: string): Promise<{ sent: Waiting[]; refused: Waiting[] }> {
  const out = { sent: [] as Waiting[], refused: [] as Waiting[] }
  const work = async () => {
    // Another tab may have sent some meanwhile.
    await load(owner)
    for (const w of all.filter((x) => !x.refused)) {
      try {
        await records.create(w.entity, w.body, w.key)
        await drop(w.key)
        out.sent.push(w)
      } catch (e) {
        if (!(e instanceof Problem) || e.status === 401 || e.status === 429 || e.status >= 500) break
        await put({ ...w, refused: { message: e.message, errors: e.errors } })
        out.refused.push(w)
      }
    }
  }
  if (navigator.locks) await navigator.locks.request('fondaco waiting', { ifAvailable: true }, async (lock) => { if (lock) await work() })
  else await work()
  for (const entity of new Set(out.sent.map((w) => w.entity))) records.refresh(entity)
  return out
}
