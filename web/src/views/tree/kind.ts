import { ListTree } from 'lucide-react'
import { lazy } from 'react'
import { withWords } from '@/i18n'
import type { ViewKind } from '../kind'

export default {
  name: 'tree', order: 50, icon: ListTree, alone: true,
  choices: [{ key: 'parent', required: true, fits: (f, e) => f.type === 'relation' && f.ref?.entity === e.name && f.filterable, preset: (e) => e.views?.tree }],
  View: lazy(() => withWords(() => import('./view'))),
} satisfies ViewKind
