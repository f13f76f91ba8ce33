import { Images } from 'lucide-react'
import { lazy } from 'react'
import { withWords } from '@/i18n'
import type { ViewKind } from '../kind'

export default {
  name: 'gallery', order: 40, icon: Images,
  choices: [{ key: 'cover', fits: (f) => f.type === 'file', preset: (e) => (typeof e.views?.gallery === 'string' ? e.views.gallery : e.fields.find((f) => f.type === 'file')?.name) }],
  View: lazy(() => withWords(() => import('./view'))),
} satisfies ViewKind
