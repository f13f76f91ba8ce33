import { Fragment, type ReactNode } from 'react'
import { blocks, runs, type Block, type Run } from './marks'

const safe = (s: string) => s.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')
/** The names of colleagues stand out. */
function plain(text: string, names: string[]): ReactNode {
  const lines = text.split('\n').flatMap((l, i) => (i ? [<br key={`b${i}`} />, l] : [l]))
  if (!names.length) return lines
  const people = new RegExp(`(${[...names].sort((a, b) => b.length - a.length).map((n) => `@${safe(n)}(?![\\p{L}\\p{N}])`).join('|')})`, 'u')
  return lines.map((l, i) => (typeof l !== 'string' ? l : l.split(people).map((part, n) => (n % 2 ? <span key={`${i}.${n}`} className="text-accent font-medium">{part}</span> : <Fragment key={`${i}.${n}`}>{part}</Fragment>))))
}
function Words({ run: r, names }: { run: Run; names: string[] }) {
  let out: ReactNode = r.code ? <code>{r.text}</code> : plain(r.text, names)
  if (r.strike) out = <s>{out}</s>
  if (r.italic) out = <em>{out}</em>
  if (r.bold) out = <strong>{out}</strong>
  return r.link ? <a className="link" href={r.link} {...(r.link.startsWith('/') ? {} : { target: '_blank', rel: 'noreferrer noopener' })} onClick={(e) => e.stopPropagation()}>{out}</a> : out
}

/** What people mark their words with: **strong**, *soft*, `code`, [a link](https://…), @a colleague. Nothing of it is ever taken for a page. */
export function Markdown({ text, names = [], className, heading: Heading = 'h3' }: { text: string; names?: string[]; className?: string; /** What stands above it decides. */ heading?: 'h2' | 'h3' }) {
  const inline = (s: string) => runs(s).map((r, i) => <Words key={i} run={r} names={names} />)
  const draw = (b: Block, key: number): ReactNode => {
    if (b.kind === 'h') return <Heading key={key} className={b.level === 1 ? 'd-h1' : undefined}>{inline(b.text)}</Heading>
    if (b.kind === 'p') return <p key={key}>{inline(b.text)}</p>
    if (b.kind === 'code') return <pre key={key}><code>{b.text}</code></pre>
    if (b.kind === 'hr') return <hr key={key} />
    if (b.kind === 'quote') return <blockquote key={key}>{b.blocks.map(draw)}</blockquote>
    if (b.kind === 'table') return <p key={key}><a className="link" href={b.href}>{b.title}</a></p>
    const items = b.items.map((x, i) => <li key={i}>{inline(x.line)}{x.nested.map(draw)}</li>)
    return b.numbered ? <ol key={key}>{items}</ol> : <ul key={key}>{items}</ul>
  }
  return <div className={className}>{blocks(text).map(draw)}</div>
}
