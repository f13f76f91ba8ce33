// The marks of a formatted text, read as the server reads them: crates/records/src/docs/markdown.rs.

export interface Run { text: string; bold?: boolean; italic?: boolean; strike?: boolean; code?: boolean; link?: string; comment?: string }
type Mark = 'bold' | 'italic' | 'strike' | '['
type Piece = { text: string; code?: boolean } | { mark: Mark; word: string; on?: boolean; to?: string }

const LINK = /^(?:(?:https?:\/\/|mailto:|tel:)|\/(?![/\\]))[^\s()<>"]*$/i
const COMMENT = /^#comment-([0-9a-f-]{36})$/
/** Whether a link may lead there: to the web, a letter, a call, or a place in the house. */
export const leads = (to: string): boolean => to.length <= 2000 && LINK.test(to)

/** The words of one line, in one pass: what is opened and not closed is text. */
export function runs(text: string): Run[] {
  const pieces: Piece[] = []
  const open: { mark: Mark; at: number }[] = []
  const turn = (mark: Mark, word: string, to?: string) => {
    const at = open.findLastIndex((o) => o.mark === mark)
    if (at < 0) { open.push({ mark, at: pieces.length }); pieces.push({ mark, word }); return }
    Object.assign(pieces[open[at]!.at]!, { on: true, to })
    open.length = at
    pieces.push({ mark, word: word === '[' ? ']' : word, on: false, ...(to === undefined ? {} : { to }) })
  }
  const say = (s: string) => { const last = pieces.at(-1); if (last && 'text' in last && !last.code) last.text += s; else pieces.push({ text: s }) }
  for (let rest = text; rest;) {
    const code = /^`([^`]+)`/.exec(rest)
    const stars = /^\*+/.exec(rest)?.[0].length ?? 0
    const link = /^\]\(([^)]*)\)/.exec(rest)
    if (code) { pieces.push({ text: code[1]!, code: true }); rest = rest.slice(code[0].length) } else if (stars || rest.startsWith('~~')) {
      const top = open.at(-1)?.mark
      const [mark, word]: [Mark, string] = !stars ? ['strike', '~~'] : stars === 2 && top === 'italic' && !open.some((o) => o.mark === 'bold') ? ['bold', '**'] : top === 'italic' || stars === 1 ? ['italic', '*'] : ['bold', '**']
      turn(mark, word)
      rest = rest.slice(word.length)
    } else if (rest[0] === '[') { open.push({ mark: '[', at: pieces.length }); pieces.push({ mark: '[', word: '[' }); rest = rest.slice(1) } else if (link && open.some((o) => o.mark === '[') && (leads(link[1]!) || COMMENT.test(link[1]!))) { turn('[', '[', link[1]!); rest = rest.slice(link[0].length) } else {
      const sign = /^\\([!-/:-@[-`{-~\n])/.exec(rest)
      const c = sign ? sign[1]! : String.fromCodePoint(rest.codePointAt(0)!)
      say(c)
      rest = rest.slice(sign ? 2 : c.length)
    }
  }
  const now: Omit<Run, 'text'> = {}
  const out: Run[] = []
  for (const p of pieces) {
    if ('text' in p) out.push({ ...now, text: p.text, ...(p.code ? { code: true } : {}) })
    else if (p.on === undefined) out.push({ ...now, text: p.word })
    else if (p.mark !== '[') { if (p.on) now[p.mark] = true; else delete now[p.mark] } else {
      const id = COMMENT.exec(p.to ?? '')?.[1]
      if (!p.on) delete now[id ? 'comment' : 'link']
      else if (id) now.comment = id
      else now.link = p.to!
    }
  }
  return out
}

export interface Item { line: string; nested: Block[] }
export type Block = { kind: 'p'; text: string } | { kind: 'code'; text: string } | { kind: 'h'; level: number; text: string } | { kind: 'list'; numbered: boolean; items: Item[] } | { kind: 'quote'; blocks: Block[] } | { kind: 'hr' } | { kind: 'table'; title: string; href: string }

const ITEM = /^(\s*)(?:[-*]|(\d{1,3}[.)]))(?:\s+(?=\S)|\s*$)(.*)$/
/** The parts of a text. Lines are paragraphs. */
export function blocks(text: string, deep = 0): Block[] {
  const lines = text.split('\n').map((l) => l.trimEnd())
  const out: Block[] = []
  let at = 0
  const whole = (start: string): string => { let s = start; at++; while (at < lines.length && /(?<!\\)(?:\\\\)*\\$/.test(s)) s += '\n' + lines[at++]!; return s }
  while (at < lines.length) {
    const line = lines[at]!.trimStart()
    const fence = /^(`{3,})[\p{L}\p{N}]*$/u.exec(line)?.[1]
    const item = ITEM.exec(lines[at]!)
    if (!line) at++
    else if (fence) {
      const end = lines.findIndex((l, n) => n > at && l.trim() === fence)
      out.push({ kind: 'code', text: lines.slice(at + 1, end < 0 ? lines.length : end).join('\n') })
      at = end < 0 ? lines.length : end + 1
    } else if (line.startsWith('>') && deep < 8) {
      const from = at
      while (at < lines.length && lines[at]!.trimStart().startsWith('>')) at++
      out.push({ kind: 'quote', blocks: blocks(lines.slice(from, at).map((l) => l.trimStart().replace(/^> ?/, '')).join('\n'), deep + 1) })
    } else if (item && (item[3] || item[2] || line === '-')) {
      const entries: { indent: number; numbered: boolean; line: string }[] = []
      for (let m = item as RegExpExecArray | null; m && (m[3] || m[2] || m[0].trim() === '-'); m = at < lines.length ? ITEM.exec(lines[at]!) : null) entries.push({ indent: m[1]!.length, numbered: !!m[2], line: whole(m[3]!) })
      out.push(...lists(entries))
    } else {
      const s = whole(line)
      const head = /^(#{1,3}) +(.*)$/s.exec(s)
      const table = /^!\[(.*)\]\((\/o\/[^\s()<>"]*)\)$/.exec(line)
      out.push(line === '---' ? { kind: 'hr' } : table ? { kind: 'table', title: runs(table[1]!).map((r) => r.text).join(''), href: table[2]! } : head ? { kind: 'h', level: head[1]!.length, text: head[2]! } : { kind: 'p', text: s })
    }
  }
  return out
}
function lists(entries: { indent: number; numbered: boolean; line: string }[]): Block[] {
  const out: Block[] = []
  for (let at = 0; at < entries.length;) {
    const { indent, numbered, line } = entries[at]!
    let to = at + 1
    while (to < entries.length && entries[to]!.indent >= indent + 2) to++
    const made = { line, nested: lists(entries.slice(at + 1, to)) }
    const last = out.at(-1)
    if (last?.kind === 'list' && last.numbered === numbered) last.items.push(made)
    else out.push({ kind: 'list', numbered, items: [made] })
    at = to
  }
  return out
}
