import { SquareKanban } from 'lucide-react'
import { lazy } from 'react'
import { withWords } from '@/i18n'
import type { ViewKind } from '../kind'
import { standsBy } from './state'

export default {
  name: 'board', order: 20, icon: SquareKanban,
  choices: [
    { key: 'lanes', required: true, fits: standsBy, preset: (e) => e.views?.board ?? e.states?.field },
    { key: 'swim', fits: (f, e) => f.type === 'boolean' || standsBy(f, e) },
  ],
  View: lazy(() => withWords(() => import('./view'))),
} satisfies ViewKind
