import { MessagesSquare } from 'lucide-react'
import { lazy } from 'react'
import { withWords } from '@/i18n'
import type { ViewKind } from '../kind'

export default {
  name: 'chat', order: 125, icon: MessagesSquare, alone: true, choices: [], fits: (e) => e.can.talk,
  View: lazy(() => withWords(() => import('./view'))),
} satisfies ViewKind
