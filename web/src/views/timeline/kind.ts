import { ChartGantt } from 'lucide-react'
import { lazy } from 'react'
import { withWords } from '@/i18n'
import type { Entity, Field } from '@/meta/types'
import type { ViewKind } from '../kind'

const time = (f: Field) => (f.type === 'date' || f.type === 'datetime') && !f.system
const meant = (e: Entity, i: number): unknown => (Array.isArray(e.views?.timeline) ? e.views.timeline[i] : i ? undefined : e.views?.timeline)

export default {
  name: 'timeline', order: 40, icon: ChartGantt, alone: true,
  choices: [
    { key: 'start', required: true, fits: time, preset: (e) => meant(e, 0) },
    { key: 'end', fits: time, preset: (e) => meant(e, 1) },
    { key: 'group', fits: (f, e) => ['select', 'relation', 'user', 'boolean'].includes(f.type) || f.name === e.states?.field },
    { key: 'progress', fits: (f) => f.type === 'percent' || f.look === 'progress' },
    { key: 'predecessor', fits: (f, e) => f.type === 'relation' && f.ref?.entity === e.name },
    { key: 'baseline_start', fits: time },
    { key: 'baseline_end', fits: time },
    { key: 'colour', fits: (f, e) => !!f.options?.length || f.name === e.states?.field },
  ],
  View: lazy(() => withWords(() => import('./view'))),
} satisfies ViewKind
