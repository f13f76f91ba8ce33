import { Map } from 'lucide-react'
import { lazy } from 'react'
import { withWords } from '@/i18n'
import type { ViewKind } from '../kind'
import { isCountry } from '../pivot/cube'
import { isLatitude, longitudeOf } from './places'

export default {
  name: 'map', order: 110, icon: Map, alone: true,
  choices: [{ key: 'place', required: true, fits: (f, e) => f.filterable && (isCountry(f) || (isLatitude(f) && !!longitudeOf(f, e))), preset: (e) => e.views?.map }],
  View: lazy(() => withWords(() => import('./view'))),
} satisfies ViewKind
