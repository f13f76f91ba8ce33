import { ArrowDown, ArrowLeft, ArrowRight, ArrowUp, ClipboardPaste, Copy, Eraser, EyeOff, ListFilter, ListX, PanelRightOpen, Pencil, Pin, PinOff, Rows3, Sigma, ArrowDownToLine } from 'lucide-react'
import { DropdownMenu as M } from 'radix-ui'
import { Fragment, type ReactNode } from 'react'
import { useTranslation } from 'react-i18next'
import { typeOf } from '@/fields/registry'
import { formatInstant, instantToLocal, useLocale } from '@/lib/format'
import type { Entity, Field, Row, Rule } from '@/meta/types'
import { ruleOf } from './cell-rule'
import type { MenuAt } from './grid'
import { nextSort, sorts, withRule, writeSort, type TableSearch, type ViewState } from './state'
import { groupable, stepOf } from './group/state'
import { functionsOf, totalOf } from './totals'

interface Props { entity: Entity; menu: MenuAt; columns: Field[]; state: ViewState; onClose: () => void; onSort: (s: string) => void; onState: (part: Partial<TableSearch>) => void; onMove: (name: string, to: number) => void; onRules: (rules: Rule[]) => void; onOpen: (row: Row) => void; onShown: (rule: number) => void }
interface Item { label: ReactNode; icon?: ReactNode; hint?: string; checked?: boolean; do: () => void }

/** What can be done with a column, or with a cell of it: by the right button, or Alt and the arrow down. */
export default function GridMenu({ entity, menu: { field: f, column, row, at, do: act, canEdit }, columns, state, onClose, onSort, onState, onMove, onRules, onOpen, onShown }: Props) {
  const { t } = useTranslation()
  const locale = useLocale()
  const sorted = sorts(state.sort).find((s) => s.name === f.name)
  const frozen = state.frozen ?? 1
  const group = state.group ?? []
  const grouped = group.some((g) => g.split(':')[0] === f.name)
  const can = f.filterable !== false && typeOf(f).operators.length > 0
  const value = row?.[f.name]
  // The day of an instant is the whole of it: nobody looks for a microsecond.
  const asked = f.type === 'datetime' && typeof value === 'string' ? instantToLocal(value, locale.zone).slice(0, 10) : value
  const shown = row && (f.type === 'relation' || f.type === 'user' ? t('cell.this') : f.type === 'datetime' ? formatInstant(value, locale).split(',').slice(0, 2).join(',') : typeOf(f).format(value, f, locale) || t('cell.nothing'))
  const items: (Item | null | false | undefined | 'rule')[] = row ? [
    { label: t('open'), icon: <PanelRightOpen size={15} />, hint: 'O', do: () => onOpen(row) },
    canEdit && { label: t('edit'), icon: <Pencil size={15} />, hint: '↵', do: () => act('edit') },
    'rule',
    { label: t('sheet.copy'), icon: <Copy size={15} />, hint: 'Ctrl C', do: () => act('copy') },
    canEdit && { label: t('sheet.paste'), icon: <ClipboardPaste size={15} />, hint: 'Ctrl V', do: () => act('paste') },
    canEdit && { label: t('sheet.fill'), icon: <ArrowDownToLine size={15} />, hint: 'Ctrl D', do: () => act('fill') },
    canEdit && { label: t('sheet.clear'), icon: <Eraser size={15} />, hint: 'Del', do: () => act('clear') },
    can && 'rule',
    can && { label: t('cell.only', { value: shown }), icon: <ListFilter size={15} />, hint: 'F', do: () => onRules([ruleOf(f, asked)]) },
    can && { label: t('cell.without', { value: shown }), icon: <ListX size={15} />, do: () => onRules([ruleOf(f, asked, true)]) },
  ] : [
    f.sortable && { label: t('sort.up'), icon: <ArrowUp size={15} />, checked: sorted?.down === false, do: () => onSort(sorted && !sorted.down ? nextSort(nextSort(state.sort, f.name, true), f.name, true) : writeSort([{ name: f.name, down: false }])) },
    f.sortable && { label: t('sort.down'), icon: <ArrowDown size={15} />, checked: sorted?.down === true, do: () => onSort(sorted?.down ? nextSort(state.sort, f.name, true) : writeSort([{ name: f.name, down: true }])) },
    'rule',
    can && { label: t('cell.filter'), icon: <ListFilter size={15} />, do: () => { const was = state.filter; onState({ filter: withRule(was, null, { field: f.name, operator: typeOf(f).operators[0]!.name }) }); onShown(was?.rules.length ?? 0) } },
    groupable(f) && { label: grouped ? t('cell.ungroup') : t('cell.group'), icon: <Rows3 size={15} />, do: () => onState({ group: grouped ? group.filter((g) => g.split(':')[0] !== f.name) : [...group.slice(0, 2), stepOf(f)] }) },
    'rule',
    { label: column + 1 === frozen ? t('cell.unfreeze') : t('cell.freeze'), icon: column + 1 === frozen ? <PinOff size={15} /> : <Pin size={15} />, do: () => onState({ frozen: column + 1 === frozen ? 0 : column + 1 }) },
    column > 0 && { label: t('cell.earlier'), icon: <ArrowLeft size={15} className="rtl:rotate-180" />, do: () => onMove(f.name, column - 1) },
    column < columns.length - 1 && { label: t('cell.later'), icon: <ArrowRight size={15} className="rtl:rotate-180" />, do: () => onMove(f.name, column + 1) },
    columns.length > 1 && { label: t('cell.hide'), icon: <EyeOff size={15} />, do: () => onState({ columns: columns.filter((c) => c !== f).map((c) => c.name), ...(column < frozen ? { frozen: frozen - 1 } : {}) }) },
  ]
  const total = totalOf(entity, columns, state.totals, f)
  return (
    <M.Root open modal={false} onOpenChange={(o) => !o && onClose()}>
      <M.Trigger asChild><span aria-hidden="true" style={{ position: 'fixed', left: at.left, top: at.top, width: at.width, height: at.height, pointerEvents: 'none' }} /></M.Trigger>
      <M.Portal container={document.querySelector('main')}>
        <M.Content className="pop" align="start" sideOffset={2} collisionPadding={8} aria-label={f.label} aria-labelledby={undefined} style={{ minWidth: 220, maxHeight: 'var(--radix-dropdown-menu-content-available-height)', overflow: 'auto' }} onCloseAutoFocus={(e) => { e.preventDefault(); if (document.activeElement === document.body || document.activeElement?.closest('[role=menu]')) document.querySelector<HTMLElement>('.grid-scroll')?.focus({ preventScroll: true }) }}>
          {items.map((it, i) => {
            if (!it) return null
            if (it === 'rule') return <M.Separator key={i} className="rule" />
            const inner = <><span className="text-muted flex">{it.icon}</span><span className="flex-1 truncate max-w-[260px]">{it.label}</span>{it.checked && <span aria-hidden="true">✓</span>}{it.hint && <span className="text-faint text-xs" aria-hidden="true">{it.hint}</span>}</>
            return it.checked === undefined ? <M.Item key={i} className="item" onSelect={it.do}>{inner}</M.Item> : <M.CheckboxItem key={i} className="item" checked={it.checked} onSelect={it.do}>{inner}</M.CheckboxItem>
          })}
          {!row && (
            <M.Sub>
              <M.SubTrigger className="item"><span className="text-muted flex"><Sigma size={15} /></span><span className="flex-1">{t('totals.title')}</span><span className="text-faint text-xs">{total ? t(`totals.${total}`) : ''} ›</span></M.SubTrigger>
              <M.Portal container={document.querySelector('main')}>
                <M.SubContent className="pop" collisionPadding={8} style={{ minWidth: 160 }}>
                  {['none', ...functionsOf(f)].map((fn) => <Fragment key={fn}><M.CheckboxItem className="item" checked={(total ?? 'none') === fn} onSelect={() => onState({ totals: { ...state.totals, [f.name]: fn } })}><span className="flex-1">{t(`totals.${fn}`)}</span>{(total ?? 'none') === fn && <span aria-hidden="true">✓</span>}</M.CheckboxItem></Fragment>)}
                </M.SubContent>
              </M.Portal>
            </M.Sub>
          )}
        </M.Content>
      </M.Portal>
    </M.Root>
  )
}
