import { Fragment, type ReactNode } from 'react'

/** What people mark their words with: **strong**, *soft*, `code`, [a link](https://…), @a colleague. Nothing of it is ever taken for a page. */
function inline(text: string, names: string[]): ReactNode[] {
  const people = [...names].sort((a, b) => b.length - a.length).map((n) => `@${n.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')}(?![\\p{L}\\p{N}])`)
  const marks = new RegExp(`(${['\\*\\*[^*]+\\*\\*', '\\*[^*]+\\*', '`[^`]+`', '\\[[^\\]]+\\]\\([^)\\s]+\\)', ...people].join('|')})`, 'u')
  return text.split(marks).map((part, i) => {
    const link = /^\[([^\]]+)\]\((https?:\/\/[^)\s]+|\/(?!\/)[^)\s]*)\)$/.exec(part)
    if (link) return <a key={i} className="link" href={link[2]} {...(link[2]!.startsWith('/') ? {} : { target: '_blank', rel: 'noreferrer noopener' })} onClick={(e) => e.stopPropagation()}>{link[1]}</a>
    if (/^\*\*.+\*\*$/.test(part)) return <strong key={i}>{part.slice(2, -2)}</strong>
    if (/^\*.+\*$/.test(part)) return <em key={i}>{part.slice(1, -1)}</em>
    if (/^`.+`$/.test(part)) return <code key={i}>{part.slice(1, -1)}</code>
    if (i % 2 && part.startsWith('@')) return <span key={i} className="text-accent font-medium">{part}</span>
    return <Fragment key={i}>{part}</Fragment>
  })
}

export function Markdown({ text, names = [], className }: { text: string; names?: string[]; className?: string }) {
  const out: ReactNode[] = []
  let list: string[] = []
  let numbered = false
  const flush = () => {
    if (!list.length) return
    const items = list.map((x, i) => <li key={i}>{inline(x, names)}</li>)
    out.push(numbered ? <ol key={out.length}>{items}</ol> : <ul key={out.length}>{items}</ul>)
    list = []
  }
  for (const line of text.split('\n')) {
    const item = /^\s*(?:[-*]|(\d{1,3}\.))\s+(.*)$/.exec(line)
    if (item) {
      if (!!item[1] !== numbered) flush()
      numbered = !!item[1]
      list.push(item[2]!)
      continue
    }
    flush()
    const head = /^(#{1,3})\s+(.*)$/.exec(line)
    if (head) out.push(<h3 key={out.length} className={head[1]!.length === 1 ? 'd-h1' : undefined}>{inline(head[2]!, names)}</h3>)
    else if (line.trim()) out.push(<p key={out.length}>{inline(line, names)}</p>)
  }
  flush()
  return <div className={className}>{out}</div>
}
