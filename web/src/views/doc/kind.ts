import { FileText } from 'lucide-react'
import { lazy } from 'react'
import { withWords } from '@/i18n'
import type { ViewKind } from '../kind'

export default {
  name: 'doc', order: 115, icon: FileText,
  choices: [{ key: 'text', required: true, fits: (f) => f.type === 'richtext', preset: (e) => e.views?.doc }],
  View: lazy(() => withWords(() => import('./view'))),
} satisfies ViewKind
