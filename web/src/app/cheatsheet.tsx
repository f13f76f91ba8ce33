import { useTranslation } from 'react-i18next'
import { MOD } from '@/lib/keys'
import { Dialog } from '@/ui/basics'

const GROUPS: [string, [string, string][]][] = [
  ['anywhere', [[`${MOD}K`, 'palette'], ['?', 'help'], [`${MOD}Z`, 'undo'], ['Esc', 'close']]],
  ['record', [[`${MOD}Enter`, 'save'], ['J / K', 'neighbours'], ['Enter', 'addLine'], [`${MOD}Backspace`, 'dropLine']]],
  ['table', [['↑ ↓ ← →', 'move'], ['Enter', 'edit'], ['Tab', 'next'], ['Esc', 'cancelEdit'], ['O', 'open'], ['Space', 'select'], ['Shift Space / ⇧↓', 'range'], [`${MOD}A`, 'all'], ['C', 'create'], ['/', 'search'], ['Home / End', 'ends'], ['PgUp / PgDn', 'page']]],
  ['sheet', [['⇧ ↑ ↓ ← →', 'block'], [`${MOD}C / ${MOD}V`, 'copyPaste'], [`${MOD}D`, 'fillDown'], ['Delete', 'empty'], ['F', 'filterCell'], ['Alt ↓', 'columnMenu'], ['Alt ← →', 'columnWidth'], ['Alt ⇧ ← →', 'columnMove']]],
  ['cards', [['↑ ↓ ← →', 'move'], ['Enter', 'open'], ['Space', 'take'], ['← →, Enter', 'put'], ['Esc', 'leave']]],
]

export default function Cheatsheet({ onClose }: { onClose: () => void }) {
  const { t } = useTranslation()
  const inbox = [['J / K', t('shortcuts.move')], ['Enter', t('shortcuts.open')], ['E', t('inbox.done')], ['S', t('inbox.snooze')], ['U', t('inbox.hintRead')]] as const
  const approvals = [['J / K', t('shortcuts.move')], ['Enter', t('shortcuts.open')], ['A', t('approvals.do_approve')], ['R', t('approvals.do_reject')], ['X', t('hint.select')]] as const
  return (
    <Dialog title={t('shortcuts.title')} onClose={onClose} width={640}>
      <div className="sm:columns-2 gap-8" role="region" aria-label={t('shortcuts.title')} tabIndex={0} data-first="">
        {GROUPS.map(([group, keys]) => (
          <section key={group} className="mb-5 break-inside-avoid">
            <h3 className="m-0 mb-1.5 text-2xs font-semibold text-faint">{t(`shortcuts.${group}`)}</h3>
            <dl className="m-0">
              {keys.map(([k, what]) => <div key={k} className="flex justify-between items-center h-7 gap-3"><dt className="order-2"><kbd className="kbd">{k}</kbd></dt><dd className="m-0 order-1">{t(`shortcuts.${what}`)}</dd></div>)}
            </dl>
          </section>
        ))}
        {([['inbox.title', inbox], ['approvals.title', approvals]] as const).map(([title, keys]) => (
          <section key={title} className="mb-5 break-inside-avoid">
            <h3 className="m-0 mb-1.5 text-2xs font-semibold text-faint">{t(title)}</h3>
            <dl className="m-0">
              {keys.map(([k, what]) => <div key={k} className="flex justify-between items-center h-7 gap-3"><dt className="order-2"><kbd className="kbd">{k}</kbd></dt><dd className="m-0 order-1">{what}</dd></div>)}
            </dl>
          </section>
        ))}
      </div>
    </Dialog>
  )
}
