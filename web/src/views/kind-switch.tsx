import { clsx } from 'clsx'
import { LayoutGrid, SlidersHorizontal, Table2 } from 'lucide-react'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import type { Entity } from '@/meta/types'
import { Labelled, Menu, Popover } from '@/ui/basics'
import { choicesOf, chosen, kinds, missing, named } from './kind'
import type { Options } from './state'

/** The same records, looked at otherwise: those their author thought of at hand, all others in a menu that says what each lacks. */
export default function KindSwitch({ entity, kind, options, onPick, onOptions }: { entity: Entity; kind: string; options: Options | undefined; onPick: (k: string) => void; onOptions: (part: Options) => void }) {
  const { t } = useTranslation()
  const [open, setOpen] = useState(false)
  const table = { name: 'table', icon: Table2 }
  const atHand = [table, ...kinds.filter((k) => k.name === kind || named(entity, k))]
  const now = kinds.find((k) => k.name === kind)
  const choices = now && !missing(entity, now) ? now.choices : []
  const by = now ? chosen(entity, now, options) : {}
  return (
    <div className="flex items-center gap-1 flex-none">
      <div role="group" aria-label={t('views.kind')} className="flex flex-none rounded-md border border-line">
        {atHand.map(({ name, icon: Icon }) => <button key={name} type="button" className={clsx('btn ghost icon sm', name === kind ? 'on' : 'text-muted')} aria-pressed={name === kind} aria-label={t(`views.as_${name}`)} title={t(`views.as_${name}`)} onClick={() => onPick(name)}><Icon size={15} /></button>)}
        <Menu width={240} trigger={<button type="button" className="btn ghost icon sm text-muted" aria-label={t('views.others')} title={t('views.others')}><LayoutGrid size={14} /></button>} items={[
          { label: t('views.as_table'), icon: <Table2 size={15} />, checked: kind === 'table', onSelect: () => onPick('table') },
          ...kinds.map((k) => {
            const lacks = missing(entity, k)
            return { key: k.name, icon: <k.icon size={15} />, checked: k.name === kind, disabled: !!lacks, onSelect: () => onPick(k.name),
              label: lacks ? <span className="flex flex-col leading-tight"><span>{t(`views.as_${k.name}`)}</span><span className="text-xs">{t(`views.needs_${lacks.key}`)}</span></span> : t(`views.as_${k.name}`) }
          }),
        ]} />
      </div>
      {choices.length > 0 && (
        <Popover open={open} onOpenChange={setOpen} width={280} label={t('views.options')} trigger={<button type="button" className="btn ghost icon sm text-muted" aria-label={t('views.options')} title={t('views.options')}><SlidersHorizontal size={14} /></button>}>
          <div className="flex flex-col gap-3 p-2">
            {choices.map((c) => (
              <Labelled key={c.key} label={t(`views.by_${c.key}`)}>{(p) => (
                <select {...p} className="input" value={by[c.key]?.name ?? ''} onChange={(e) => onOptions({ [c.key]: e.target.value })}>
                  {!c.required && <option value="">{t('views.byNone')}</option>}
                  {choicesOf(entity, c).map((f) => <option key={f.name} value={f.name}>{f.label}</option>)}
                </select>
              )}</Labelled>
            ))}
          </div>
        </Popover>
      )}
    </div>
  )
}
