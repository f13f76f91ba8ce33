import type { Comment } from './talk'

export interface Thread { root: Comment; answers: Comment[] }

/** However deep answers go, they are shown under the first word of their thread, in the order they came. */
export function threads(all: Comment[]): Thread[] {
  const by = new Map(all.map((c) => [c.id, c]))
  const made = new Map<string, Thread>()
  const rootOf = (c: Comment): Comment => {
    let root = c
    for (let i = 0; i < 1000 && root.parent_id && by.has(root.parent_id); i++) root = by.get(root.parent_id)!
    return root
  }
  for (const c of all) {
    const root = rootOf(c)
    const thread = made.get(root.id) ?? { root, answers: [] }
    if (root.id !== c.id) thread.answers.push(c)
    made.set(root.id, thread)
  }
  return [...made.values()]
}

/** The name that is being typed after an @, with the place of the @. */
export function mentionAt(text: string, caret: number): { from: number; text: string } | null {
  const m = /(?:^|[\s(])@([\p{L}\p{N}._-]{0,30}(?: [\p{L}\p{N}._-]{0,30})?)$/u.exec(text.slice(0, caret))
  return m ? { from: caret - m[1]!.length - 1, text: m[1]! } : null
}

const letter = /[\p{L}\p{N}]/u
/** Whether the text names somebody still. */
export const named = (text: string, name: string): boolean => {
  for (let i = text.indexOf('@' + name); i >= 0; i = text.indexOf('@' + name, i + 1)) if (!letter.test(text[i + 1 + name.length] ?? '')) return true
  return false
}

export interface Piece { kind: 'text' | 'mention' | 'link'; text: string }
/** A comment is plain text; names of those mentioned and web addresses stand out. */
export function pieces(body: string, names: string[]): Piece[] {
  const quoted = [...names].sort((a, b) => b.length - a.length).map((n) => '@' + n.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'))
  const found = new RegExp([...quoted.map((q) => `${q}(?![\\p{L}\\p{N}])`), 'https?://[^\\s<>"\']+[^\\s<>"\'.,;:!?)]'].join('|'), 'gu')
  const out: Piece[] = []
  let from = 0
  for (const m of body.matchAll(found)) {
    if (m.index > from) out.push({ kind: 'text', text: body.slice(from, m.index) })
    out.push({ kind: m[0].startsWith('@') ? 'mention' : 'link', text: m[0] })
    from = m.index + m[0].length
  }
  if (from < body.length) out.push({ kind: 'text', text: body.slice(from) })
  return out
}
