import { useTranslation } from 'react-i18next'
import type { Locale } from '@/lib/format'
import { readable, type Step } from './steps'

/** How a figure came about, as steps one can follow. A step without words of its own tells what went in. */
export default function Trace({ steps, amount, currency, locale }: { steps: Step[]; amount: unknown; currency: unknown; locale: Locale }) {
  const { t, i18n } = useTranslation()
  return (
    <ol className="list-none m-0 p-0 max-w-[620px]">
      {steps.map((s, i) => {
        const { step, result, ...rest } = s
        const values = Object.fromEntries(Object.entries({ ...rest, result }).map(([k, v]) => [k, readable(v, locale)]))
        const told = i18n.exists(`trace.${step}`) ? t(`trace.${step}`, values) : [step.replaceAll('_', ' '), ...Object.entries(rest).map(([k, v]) => `${k} ${readable(v, locale)}`)].join(' · ')
        return (
          <li key={`${step}${i}`} className="flex items-baseline gap-3 py-1 border-b border-line">
            <span className="text-faint num w-4 flex-none">{i + 1}</span>
            <span className="flex-1 min-w-0" style={{ overflowWrap: 'anywhere' }}>{told}</span>
            {result !== undefined && <span className="num flex-none">{readable(result, locale)}</span>}
          </li>
        )
      })}
      {amount !== undefined && (
        <li className="flex items-baseline gap-3 py-1 font-semibold"><span className="w-4 flex-none" /><span className="flex-1">{t('trace.comes')}</span><span className="num">{readable(amount, locale)} {readable(currency, locale)}</span></li>
      )}
    </ol>
  )
}
