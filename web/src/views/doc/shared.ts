import * as Y from 'yjs'
import { messageOf, post, Problem } from '@/api/http'

export interface Status { loaded: boolean; may: boolean; state: 'saved' | 'saving' | 'waits' | 'refused'; why: string }

const SOON = 250
const AGAIN = 3_000
const coded = (bytes: Uint8Array): string => { let s = ''; for (const b of bytes) s += String.fromCharCode(b); return btoa(s) }
const decoded = (s: string): Uint8Array => Uint8Array.from(atob(s), (c) => c.charCodeAt(0))

/** A document that several write at once, as this tab has it. What is typed goes to the server soon after; what it has not taken is kept over a reload, and sent when it answers again. */
export class Shared {
  doc = new Y.Doc()
  status: Status = { loaded: false, may: false, state: 'saved', why: '' }
  /** What the server is known to have. */
  private known = Y.encodeStateVector(new Y.Doc())
  private typed = 0
  private sent = 0
  private timer: ReturnType<typeof setTimeout> | undefined
  private going: Promise<Status> | null = null
  private ears = new Set<() => void>()
  private key: string
  constructor(private path: string) {
    this.key = `kept doc ${path}`
    this.doc.on('update', (_: Uint8Array, origin: unknown) => {
      if (origin === this) return
      this.typed++
      this.keep()
      this.tell({ state: this.status.state === 'refused' ? 'refused' : 'saving' })
      this.later(SOON)
    })
  }
  subscribe = (f: () => void): (() => void) => { this.ears.add(f); return () => this.ears.delete(f) }
  private tell(part: Partial<Status>): void { this.status = { ...this.status, ...part }; for (const f of this.ears) f() }
  private later(ms: number): void { this.timer ??= setTimeout(() => { this.timer = undefined; void this.exchange() }, ms) }
  get dirty(): boolean { return this.typed > this.sent }
  private keep(): void {
    try { if (this.dirty) sessionStorage.setItem(this.key, coded(Y.encodeStateAsUpdate(this.doc, this.known))); else sessionStorage.removeItem(this.key) } catch { /* too long to keep */ }
  }

  /** Gives and takes what is new. One at a time: who comes meanwhile waits for it, and what was typed meanwhile goes after it. */
  exchange = (): Promise<Status> => this.going ??= this.work().finally(() => { this.going = null; if (this.dirty && this.status.state === 'saving') this.later(SOON) })
  private async work(): Promise<Status> {
    const typed = this.typed
    const gives = this.dirty && this.status.loaded && this.status.state !== 'refused'
    try {
      const a = await post<{ update: string; vector: string; access: string }>(this.path, { vector: coded(Y.encodeStateVector(this.doc)), ...(gives ? { update: coded(Y.encodeStateAsUpdate(this.doc, this.known)) } : {}) })
      Y.applyUpdate(this.doc, decoded(a.update), this)
      this.known = decoded(a.vector)
      if (gives) this.sent = typed
      const first = !this.status.loaded
      this.tell({ loaded: true, may: a.access === 'write', state: this.status.state === 'refused' ? 'refused' : this.dirty ? 'saving' : 'saved', why: '' })
      this.recover(first)
      this.keep()
    } catch (e) {
      // A server that is away, or busy, will be asked again; what it says no to stays here to be seen.
      if (e instanceof Problem && e.status < 500 && e.status !== 429 && e.status !== 401) { if (gives) this.tell({ state: 'refused', why: messageOf(e), may: false }) } else { this.tell({ state: this.dirty ? 'waits' : this.status.state }); if (this.dirty) setTimeout(() => { if (this.dirty && this.ears.size) { this.tell({ state: 'saving' }); this.later(0) } }, AGAIN) }
      if (!this.status.loaded) throw e
    }
    return this.status
  }
  /** What an earlier page could not send any more. */
  private recover(first: boolean): void {
    const kept = first ? sessionStorage.getItem(this.key) : null
    if (kept) try { Y.applyUpdate(this.doc, decoded(kept)) } catch { /* of another time */ }
  }
  close(): void { clearTimeout(this.timer); this.timer = undefined; if (this.dirty && this.status.loaded) void this.exchange(); }
  /** Gives up what the server did not take. */
  drop(): void { sessionStorage.removeItem(this.key) }
}
