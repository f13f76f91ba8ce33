import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { useEntity, useMeta, visibleFields } from '@/meta/hooks'
import type { Entity } from '@/meta/types'
import { Dialog, Labelled, Skeleton } from '@/ui/basics'
import { AddFilter, FilterChips } from '../filters'
import { BUCKETS, FUNCTIONS, readDim, summable, type Targets } from '../pivot/cube'
import { GroupOptions, useTargets } from '../pivot/parts'
import { sendable } from '../state'
import { KINDS, NEEDS, SIZES, type Widget, type WidgetKind } from './model'

const isTime = (f: { type: string }) => f.type === 'date' || f.type === 'datetime'

/** What a widget shows, asked plainly. */
export default function WidgetDialog({ widget, page, isNew, onSave, onClose }: { widget: Widget; page: Entity; isNew: boolean; onSave: (w: Widget) => void; onClose: () => void }) {
  const { t } = useTranslation()
  const { data: meta } = useMeta()
  const [w, setW] = useState<Widget>(widget)
  const name = w.entity ?? page.name
  const { data: other } = useEntity(name === page.name ? undefined : name)
  const e = name === page.name ? page : other
  const change = (part: Partial<Widget>) => setW((old) => ({ ...old, ...part }))
  const pickKind = (kind: WidgetKind) => { const [wide, tall] = SIZES[kind]; change(isNew || (w.w === SIZES[w.kind][0] && w.h === SIZES[w.kind][1]) ? { kind, w: wide, h: tall } : { kind }) }
  // Every table that may be read, the parts of documents too.
  const entities = Object.values(meta?.entities ?? {}).sort((a, b) => a.plural.localeCompare(b.plural))
  const save = () => {
    const out: Widget = { ...w }
    const filter = sendable(w.filter)
    if (filter) out.filter = filter; else delete out.filter
    for (const k of Object.keys(out) as (keyof Widget)[]) if (out[k] === '' || out[k] === undefined) delete out[k]
    if (out.entity === page.name) delete out.entity
    onSave(out)
    onClose()
  }
  return (
    <Dialog title={t(isNew ? 'dash.newWidget' : 'dash.editWidget')} width={620} onClose={onClose} onSubmit={save} footer={<><button type="button" className="btn" onClick={onClose}>{t('cancel')}</button><button type="submit" className="btn primary">{t(isNew ? 'dash.addWidget' : 'apply')}</button></>}>
      <div className="grid gap-4 sm:grid-cols-2">
        <Labelled label={t('dash.kind')}>{(p) => <select {...p} className="input" value={w.kind} onChange={(x) => pickKind(x.target.value as WidgetKind)}>{KINDS.map((k) => <option key={k} value={k}>{t(`dash.kind_${k}`)}</option>)}</select>}</Labelled>
        <Labelled label={t('dash.titleLabel')} help={t('dash.titleHelp')}>{(p) => <input {...p} className="input" value={w.title ?? ''} maxLength={200} onChange={(x) => change({ title: x.target.value })} />}</Labelled>
        {w.kind === 'note' ? (
          <Labelled className="sm:col-span-2" label={t('dash.text')} help={t('dash.textHelp')}>{(p) => <textarea {...p} className="input" rows={7} maxLength={4000} value={w.text ?? ''} onChange={(x) => change({ text: x.target.value })} />}</Labelled>
        ) : (
          <>
            <Labelled label={t('dash.about')}>{(p) => <select {...p} className="input" value={name} onChange={(x) => setW((old) => { const { group: _, split: __, value: ___, when: ____, filter: _____, columns: ______, sort: _______, ...rest } = old; return { ...rest, entity: x.target.value } })}>{entities.map((x) => <option key={x.name} value={x.name}>{x.part_of ? `${meta?.entities[x.part_of]?.label ?? ''}: ${x.plural}` : x.plural}</option>)}</select>}</Labelled>
            {e ? <About key={e.name} w={w} e={e} change={change} /> : <Skeleton rows={3} />}
          </>
        )}
      </div>
    </Dialog>
  )
}

function About({ w, e, change }: { w: Widget; e: Entity; change: (part: Partial<Widget>) => void }) {
  const { t } = useTranslation()
  const targets = useTargets(e)
  const [opened, setOpened] = useState<number | null>(null)
  const needs = NEEDS[w.kind]
  if (!targets) return <Skeleton rows={3} />
  return (
    <>
      {needs.value && <Labelled label={t('dash.value')}>{(p) => (
        <select {...p} className="input" value={w.value ?? 'count'} onChange={(x) => change({ value: x.target.value })}>
          <option value="count">{t('pivot.fn_count')}</option>
          {summable(e).filter((f) => !f.system).map((f) => <optgroup key={f.name} label={f.label}>{FUNCTIONS.map((fn) => <option key={fn} value={`${fn}:${f.name}`}>{t(`pivot.fn_${fn}`, { name: f.label })}</option>)}</optgroup>)}
        </select>
      )}</Labelled>}
      {(needs.group || needs.time) && <DimSelect label={t(needs.time ? 'dash.day' : 'dash.group')} e={e} targets={targets} value={w.group} stepped={!needs.time} only={needs.time ? isTime : undefined} onChange={(group) => change({ group })} />}
      {needs.split && <DimSelect label={t('dash.split')} e={e} targets={targets} value={w.split} stepped none onChange={(split) => change({ split })} />}
      {needs.when && <DimSelect label={t('dash.when')} e={e} targets={targets} value={w.when} stepped none only={isTime} onChange={(when) => change({ when })} />}
      {((needs.when && w.when) || needs.time) && <Labelled label={t('dash.anchor')}>{(p) => <select {...p} className="input" value={w.anchor ?? 'today'} onChange={(x) => change({ anchor: x.target.value as 'today' | 'last' })}><option value="today">{t('dash.anchor_today')}</option><option value="last">{t('dash.anchor_last')}</option></select>}</Labelled>}
      {w.kind === 'number' && w.when && <label className="flex items-center gap-2 self-end min-h-8"><input type="checkbox" checked={!!w.lower} onChange={(x) => change({ lower: x.target.checked })} />{t('dash.lower')}</label>}
      {w.kind === 'progress' && <Labelled label={t('dash.goal')}>{(p) => <input {...p} className="input num" inputMode="decimal" value={w.goal ?? ''} onChange={(x) => change({ goal: x.target.value.replace(',', '.').replace(/[^\d.-]/g, '') })} />}</Labelled>}
      {needs.limit && <Labelled label={t('dash.limit')}>{(p) => <input {...p} className="input num" type="number" min={1} max={100} value={w.limit ?? ''} onChange={(x) => change(x.target.value ? { limit: Math.max(1, Math.min(100, Number(x.target.value))) } : { limit: undefined as never })} />}</Labelled>}
      {w.kind === 'list' && <Labelled label={t('dash.sort')}>{(p) => <select {...p} className="input" value={w.sort ?? ''} onChange={(x) => change({ sort: x.target.value })}><option value="">{t('dash.newest')}</option>{visibleFields(e).filter((f) => f.sortable).map((f) => [<option key={f.name} value={f.name}>{f.label} ↑</option>, <option key={`-${f.name}`} value={`-${f.name}`}>{f.label} ↓</option>])}</select>}</Labelled>}
      <div className="sm:col-span-2">
        <span className="field-label">{t('dash.only')}</span>
        <div className="flex flex-wrap gap-1.5 items-center">
          <AddFilter entity={e} filter={w.filter} onChange={(filter) => change({ filter })} onAdded={(i) => setTimeout(() => setOpened(i), 60)} />
          <FilterChips entity={e} filter={w.filter} onChange={(filter) => change({ filter })} opened={opened} setOpened={setOpened} />
        </div>
      </div>
    </>
  )
}

function DimSelect({ label, e, targets, value, stepped, none, only, onChange }: { label: string; e: Entity; targets: Targets; value: string | undefined; stepped?: boolean; none?: boolean; only?: ((f: { type: string }) => boolean) | undefined; onChange: (id: string) => void }) {
  const { t } = useTranslation()
  const dim = value ? readDim(e, targets, value) : undefined
  const path = dim ? dim.id.split(':')[0]! : ''
  return (
    <Labelled label={label}>{(p) => (
      <div className="flex gap-1.5">
        <select {...p} className="input" value={path} onChange={(x) => onChange(x.target.value && dim?.bucket ? `${x.target.value}:${dim.bucket}` : x.target.value)}>
          <option value="">{none ? t('views.byNone') : t('choose')}</option>
          <GroupOptions entity={e} targets={targets} {...(only ? { only } : {})} />
        </select>
        {stepped && dim?.bucket && <select className="input" style={{ maxWidth: 130 }} aria-label={t('dash.step')} value={dim.bucket} onChange={(x) => onChange(`${path}:${x.target.value}`)}>{BUCKETS.map((b) => <option key={b} value={b}>{t(`pivot.step_${b}`)}</option>)}</select>}
      </div>
    )}</Labelled>
  )
}
