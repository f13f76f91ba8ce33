import { AppWindow } from 'lucide-react'
import { lazy } from 'react'
import { withWords } from '@/i18n'
import type { ViewKind } from '../kind'

export default {
  name: 'embed', order: 120, icon: AppWindow,
  choices: [{ key: 'url', required: true, fits: (f) => f.type === 'url', preset: (e) => e.views?.embed }],
  View: lazy(() => withWords(() => import('./view'))),
} satisfies ViewKind
