import './gallery.css'
import { useState, type CSSProperties, type ReactNode } from 'react'
import { hueOf } from '@/ui/basics'

const initialsOf = (text: string): string => { const words = text.split(/[\s.,/–-]+/).filter((w) => /[\p{L}\p{N}]/u.test(w)); return (words.length > 1 ? words[0]![0]! + words[1]![0]! : text.slice(0, 2)).toUpperCase() }

/** The picture of a card; where there is none, or it cannot be shown, the first letters of what it is called. */
export function Cover({ src, title, height, children }: { src: string | undefined; title: string; height: number; children: ReactNode }) {
  const [failed, setFailed] = useState<string>()
  return <span className="v-cover" aria-hidden={!children || undefined} data-i={initialsOf(title)} style={{ height, '--h': hueOf(title) } as CSSProperties}>{src && failed !== src && <img src={src} alt="" loading="lazy" decoding="async" onError={() => setFailed(src)} />}{children}</span>
}
