import { Gauge } from 'lucide-react'
import { lazy } from 'react'
import { withWords } from '@/i18n'
import type { Field } from '@/meta/types'
import type { ViewKind } from '../kind'

const time = (f: Field) => (f.type === 'date' || f.type === 'datetime') && !f.system

export default {
  name: 'workload', order: 50, icon: Gauge, alone: true,
  choices: [
    { key: 'who', required: true, fits: (f) => (f.type === 'user' || f.type === 'relation') && !f.system, preset: (e) => (e.views?.workload as { who?: string } | undefined)?.who ?? e.fields.find((f) => f.type === 'user' && !f.system)?.name },
    { key: 'start', required: true, fits: time },
    { key: 'end', fits: time },
    { key: 'effort', fits: (f) => ['number', 'quantity', 'integer', 'duration'].includes(f.type) && !f.system },
  ],
  View: lazy(() => withWords(() => import('./view'))),
} satisfies ViewKind
