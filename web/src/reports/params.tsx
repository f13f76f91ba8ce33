import { useId, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { typeOf } from '@/fields/registry'
import { Labelled } from '@/ui/basics'
import { fieldOf, preset, PRESETS, type Against, type Answer, type Param, type Preset, type Report, type Search } from './model'

/** What a report asks for. The answer says what it went by where nobody said anything. */
export function Params({ report, words, search, answer, onChange }: { report: Report; words: Record<string, string>; search: Search; answer: Answer | undefined; onChange: (changes: Record<string, string | undefined>) => void }) {
  const { t } = useTranslation()
  const id = useId()
  const dated = report.params.some((p) => p.name === 'from' || p.name === 'as_of')
  const [today] = useState(() => new Intl.DateTimeFormat('sv-SE').format(new Date()))
  return (
    <div className="r-bar no-print" role="group" aria-label={t('reports.params')}>
      {dated && (
        <div>
          <label className="field-label" htmlFor={id}>{t('reports.period')}</label>
          <select id={id} className="input" value="" onChange={(e) => { if (e.target.value) onChange(preset(report, e.target.value as Preset, today)) }}>
            <option value="">{t('reports.choosePeriod')}</option>
            {PRESETS.map((p) => <option key={p} value={p}>{t(`reports.${p}`)}</option>)}
          </select>
        </div>
      )}
      {report.params.filter((p) => !p.hidden).map((p) => {
        const said = answer?.[p.name]
        const value = search[p.name] ?? (said === undefined || said === null ? null : Array.isArray(said) ? said.join(', ') : String(said))
        return <One key={p.name + value} param={p} words={words} value={value} onChange={(v) => onChange({ [p.name]: v })} />
      })}
      {report.compare && (
        <Labelled label={t('reports.compare')}>
          {(c) => (
            <select id={c.id} className="input" value={search.compare ?? ''} onChange={(e) => onChange({ compare: (e.target.value || undefined) as Against | undefined })}>
              <option value="">{t('reports.alone')}</option>
              <option value="previous">{t(report.compare === 'day' ? 'reports.monthBefore' : 'reports.previous')}</option>
              <option value="year">{t('reports.yearAgo')}</option>
            </select>
          )}
        </Labelled>
      )}
    </div>
  )
}

/** What is typed counts when it is done; what is chosen, at once. */
function One({ param, words, value, onChange }: { param: Param; words: Record<string, string>; value: string | null; onChange: (v: string | undefined) => void }) {
  const field = fieldOf(param, words)
  const { Input } = typeOf(field)
  const [draft, setDraft] = useState<unknown>(value)
  const typed = field.type === 'text' || field.type === 'integer'
  const say = (v: unknown) => onChange(v === null || v === undefined || v === '' ? undefined : String(v))
  const done = () => { if (typed && draft !== value) say(draft) }
  return (
    <Labelled label={param.label} required={!!param.required} className={param.type === 'relation' ? 'r-wide' : ''}>
      {(c) => <div onBlur={done} onKeyDown={(e) => { if (e.key === 'Enter') done() }}><Input field={field} value={typed ? draft : value} record={{}} id={c.id} describedBy={c['aria-describedby']} onChange={typed ? setDraft : say} /></div>}
    </Labelled>
  )
}
