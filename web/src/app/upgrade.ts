/** Whether the server has another program than this tab runs: its page names other scripts. */
export async function isOld(): Promise<boolean> {
  const mine = [...document.querySelectorAll<HTMLScriptElement>('script[type=module][src]')].map((s) => new URL(s.src).pathname).find((s) => s.startsWith('/assets/'))
  if (!mine) return false
  try {
    const page = await fetch('/', { cache: 'no-store', headers: { Accept: 'text/html', 'X-Fresh': '1' } })
    const text = await page.text()
    return page.ok && text.includes('/assets/') && !text.includes(mine)
  } catch { return false }
}

/** Something that was typed and is not saved would go with the page. */
export function isTyping(): boolean {
  const leaving = new Event('beforeunload', { cancelable: true })
  if (!dispatchEvent(leaving)) return true
  const at = document.activeElement as HTMLInputElement | null
  return !!document.querySelector('[data-modal],.editing') || (!!at?.matches('textarea,input:not([type=checkbox]):not([type=radio])') && !!at.value)
}
