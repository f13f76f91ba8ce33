import { SquareKanban } from 'lucide-react'
import { lazy } from 'react'
import { withWords } from '@/i18n'
import type { ViewKind } from '../kind'

export default {
  name: 'board', order: 20, icon: SquareKanban,
  choices: [{ key: 'lanes', required: true, fits: (f, e) => !!f.options?.length || f.name === e.states?.field, preset: (e) => e.views?.board ?? e.states?.field }],
  View: lazy(() => withWords(() => import('./view'))),
} satisfies ViewKind
