import { BriefcaseBusiness } from 'lucide-react'
import { lazy } from 'react'
import { withWords } from '@/i18n'
import type { Entity, Field } from '@/meta/types'
import type { ViewKind } from '../kind'
import { donePreset, measurable, ofPreset } from './health'

const DUE = /(^|_)(due|required|deadline|end|ends|until|finish|promised)(_|$)/
const dated = (f: Field): boolean => (f.type === 'date' || f.type === 'datetime') && !f.system && f.filterable
const due = (f: Field, e: Entity): boolean => dated(f) && (DUE.test(f.name) || !e.fields.some((x) => dated(x) && DUE.test(x.name)))

export default {
  name: 'portfolio', order: 140, icon: BriefcaseBusiness,
  choices: [
    { key: 'due', required: true, fits: due },
    { key: 'done', fits: measurable, preset: donePreset },
    { key: 'of', fits: (f) => measurable(f) && f.type !== 'percent', preset: ofPreset },
  ],
  View: lazy(() => withWords(() => import('./view'))),
} satisfies ViewKind
