import { formatInstant } from '@/lib/format'
import type { CellProps, FieldType } from '../registry'
import { lazyInput } from './later'
import { emptiness} from '../shared'

export interface Signature { path?: string; text?: string; by?: string; at?: string }
const asSignature = (v: unknown): Signature | null => (v && typeof v === 'object' ? (v as Signature) : null)
const format: FieldType['format'] = (v, _f, l) => { const s = asSignature(v); return s ? [s.text, formatInstant(s.at, l)].filter(Boolean).join(' · ') : '' }
export function Strokes({ of: s, height }: { of: Signature; height: number }) {
  if (s.text) return <em className="txt" style={{ fontFamily: 'cursive', fontSize: height * 0.55 }}>{s.text}</em>
  return <svg viewBox="0 0 300 100" height={height} width={height * 3} aria-hidden="true"><path d={s.path} fill="none" stroke="currentColor" strokeWidth={2.5} strokeLinecap="round" strokeLinejoin="round" /></svg>
}
function Cell({ value, field, locale, whole }: CellProps) {
  const s = asSignature(value)
  if (!s) return null
  return <span className="inline-flex items-center gap-2 min-w-0"><Strokes of={s} height={whole ? 56 : 24} /><span className="txt text-muted text-xs">{formatInstant(s.at, locale) || format(value, field, locale)}</span></span>
}
export default { Cell, Input: lazyInput(() => import('./parts/signature')), format, operators: emptiness, width: 180, wide: true } satisfies FieldType
