import { useEffect, useState } from 'react'
import { formatDuration, parseDuration } from '@/fields/own/duration'
import { useLocale } from '@/lib/format'
import type { FieldType, InputProps } from '../registry'
import { aria, numberOperators, Txt, useAutoFocus } from '../shared'

const format: FieldType['format'] = (v, _f, l) => formatDuration(v, l.locale)
/** What is no duration is passed on as typed, and the server says so at the field. */
function Input(p: InputProps) {
  const { locale } = useLocale()
  const ref = useAutoFocus<HTMLInputElement>(p.autoFocus, p.typed)
  const [draft, setDraft] = useState<string | null>(p.typed ?? null)
  const change = (s: string) => { setDraft(s); p.onChange(s.trim() === '' ? null : parseDuration(s) ?? s) }
  useEffect(() => { if (p.typed !== undefined) change(p.typed) }, [])
  return <input ref={ref} {...aria(p)} className="input num" autoComplete="off" placeholder={p.compact ? undefined : '1:30'} style={p.compact ? { textAlign: 'end' } : undefined} value={draft ?? formatDuration(p.value, locale)} onChange={(e) => change(e.target.value)} onBlur={() => setDraft(null)} />
}
export default { Cell: ({ value, field, locale }) => <Txt>{format(value, field, locale)}</Txt>, Input, format, operators: numberOperators, align: 'end', width: 110, types: true } satisfies FieldType
