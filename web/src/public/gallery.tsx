import type { Locale } from '@/lib/format'
import { Cover } from '@/views/gallery/cover'
import { called } from './days'
import { Value, type Opened, type Values } from './shared'

const LINES = 6

/** Cards with their pictures, which the link shows and nobody else's. */
export default function Gallery({ token, opened, rows, locale }: { token: string; opened: Opened; rows: Values[]; locale: Locale }) {
  const [, ...rest] = opened.entity.fields
  const told = (row: Values) => rest.filter((f) => f.type !== 'file' && row[f.name] !== null && row[f.name] !== '').slice(0, LINES)
  return (
    <ul className="list-none m-0 px-5 py-3 shared-gallery max-md:px-3" aria-label={opened.name}>{rows.map((row, i) => (
      <li key={i} className="v-card looked">
        <Cover src={row._picture ? `/api/v1/public/${encodeURIComponent(token)}/pictures/${String(row._picture)}?key=${encodeURIComponent(opened.key)}` : undefined} title={called(opened, row, locale)} height={150}>{null}</Cover>
        <div className="v-body">
          <div className="v-title" title={called(opened, row, locale)}>{called(opened, row, locale)}</div>
          <dl className="m-0 mt-1 shared-card text-xs">{told(row).map((f) => <div key={f.name}><dt>{f.label}</dt><dd><Value field={f} row={row} locale={locale} /></dd></div>)}</dl>
        </div>
      </li>
    ))}</ul>
  )
}
