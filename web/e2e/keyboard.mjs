// A salesperson's day without a mouse: every step by keys alone, and the focus can be seen at each.
import { api, BASE, chains, equal, page, PASSWORD, test } from './kit.mjs'

export async function keyboard(browser, email) {
  const chain = chains()
  const p = await page(browser)
  const key = async (...keys) => { for (const k of keys) await p.keyboard.press(k) }
  const type = (text) => p.keyboard.type(text)
  const focused = () => p.evaluate(() => {
    const e = document.activeElement
    const named = e.getAttribute('aria-labelledby')?.split(' ').map((id) => document.getElementById(id)?.textContent).join(' ')
    const label = e.labels?.[0]?.textContent
    const r = e.getBoundingClientRect(), s = getComputedStyle(e), around = e.closest('label, .field, [role=row], [role=gridcell]')
    const ring = (x) => x && ((x.outlineStyle !== 'none' && parseFloat(x.outlineWidth) > 0) || x.boxShadow !== 'none')
    return { name: (e.getAttribute('aria-label') || named || label || e.textContent || '').trim(), role: e.getAttribute('role') || e.tagName.toLowerCase(), seen: e === document.body || (r.width > 0 && (ring(s) || ring(around && getComputedStyle(around)))) }
  })
  const unseen = []
  /** Tab by Tab until the focus stands on what is called so. */
  const tabTo = async (name, { back = false, most = 90 } = {}) => {
    const fits = (f) => (name instanceof RegExp ? name.test(f.name) : f.name === name)
    const passed = []
    for (let i = 0; i < most; i++) {
      const f = await focused()
      // A table shows its cell, not itself.
      if (i > 0 && !f.seen && f.role !== 'grid') unseen.push(`${f.role} ${f.name.slice(0, 40)}`)
      if (i > 0 && fits(f)) return f
      passed.push(f.name.slice(0, 24))
      await key(back ? 'Shift+Tab' : 'Tab')
    }
    throw new Error(`no way by Tab to ${name}: ${passed.slice(-40).join(' | ')}`)
  }
  const go = async (word) => {
    await key('Control+k')
    await p.getByRole('dialog').waitFor()
    await type(word)
    await p.getByRole('option', { name: new RegExp(word, 'i') }).first().waitFor()
    await key('Enter')
    await p.getByRole('dialog').waitFor({ state: 'detached' })
  }
  const choose = async (text) => { await type(text); await p.getByRole('option', { name: new RegExp(text) }).first().waitFor(); await key('Enter') }
  const panel = p.locator('aside[aria-label^="Record"]')
  const status = (text) => p.locator(':is(h1,h2) + span .chip', { hasText: text }).first().waitFor()
  /** The table is there and has the keyboard. */
  const onRow = async () => {
    await p.locator('.g-row[data-id]').first().waitFor()
    await p.waitForFunction(() => document.activeElement?.closest('[role=grid]'))
  }

  await chain('keys alone: sign in', async () => {
    await p.goto(`${BASE}/login`)
    await p.locator('input[name=email]').waitFor()
    if ((await focused()).role !== 'input') await tabTo(/E-mail/)
    await type(email)
    await tabTo(/^Password/)
    await type(PASSWORD)
    await key('Enter')
    await p.getByRole('navigation', { name: 'Main menu' }).waitFor()
  })

  await chain('keys alone: a customer', async () => {
    await go('Parties')
    await onRow()
    await key('c')
    await p.getByRole('dialog').waitFor()
    await type('Keyboard Works LLP')
    await tabTo(/customer/i)
    await key('Space')
    await key('Control+Enter')
    await panel.getByRole('heading', { name: 'Keyboard Works LLP' }).waitFor()
  })

  let order
  await chain('keys alone: an order with two lines', async () => {
    await go('Orders')
    await p.waitForURL(/sales-orders/)
    await p.getByRole('heading', { name: 'Orders' }).waitFor()
    await key('c')
    await p.getByRole('dialog').waitFor()
    await p.waitForTimeout(300)
    if (!(await focused()).name.startsWith('Customer')) await tabTo(/^Customer( \*)?$/)
    await choose('Keyboard Works')
    for (const [i, quantity] of [[1, '2'], [2, '5']]) {
      await tabTo('Add line')
      await key('Enter')
      await p.getByLabel(`Product, line ${i}`).waitFor()
      if ((await focused()).name !== `Product, line ${i}`) await tabTo(`Product, line ${i}`, { back: true })
      await choose('Pallet rack')
      await tabTo(`Quantity, line ${i}`)
      await key('Control+a')
      await type(quantity)
    }
    await key('Control+Enter')
    await p.waitForURL(/rec=/)
    order = new URL(p.url()).searchParams.get('rec').replaceAll('"', '')
    await panel.getByRole('heading').first().waitFor()
    const made = await api(p, 'GET', `/sales/orders/${order}?expand=lines`)
    equal(made.lines.map((l) => Number(l.quantity)).join(), '2,5', 'quantities')
  })

  await chain('keys alone: confirm and invoice', async () => {
    await tabTo('Confirm')
    await key('Enter')
    await status('Confirmed')
    await p.getByRole('button', { name: 'Start', exact: true }).waitFor()
    await p.waitForFunction(() => document.activeElement?.textContent === 'Start')
    // Three actions stand beside each other, the others in a menu.
    equal((await focused()).name, 'Start', 'the focus goes on to the next action')
    await tabTo('More steps')
    await key('Enter')
    await p.getByRole('menuitem', { name: 'Invoice' }).waitFor()
    await type('Inv')
    await key('Enter')
    await p.getByRole('dialog').waitFor()
    await tabTo('Invoice')
    await key('Enter')
    await p.getByRole('dialog').waitFor({ state: 'detached' })
    equal((await api(p, 'GET', `/sales/orders/${order}`)).invoice_status, 'invoiced')
  })

  await chain('keys alone: post the invoice and enter the payment', async () => {
    await go('Invoices')
    await p.waitForURL(/finance-invoices/)
    await onRow()
    await key('o')
    await panel.getByRole('heading').first().waitFor()
    await tabTo('Post')
    await key('Enter')
    await status('Sent')
    await tabTo('Enter payment')
    await key('Enter')
    await p.getByRole('dialog').waitFor()
    await tabTo('Enter payment')
    await key('Enter')
    await p.getByRole('dialog').waitFor({ state: 'detached' })
    await status('Paid')
  })

  await chain('keys alone: find, correct, undo', async () => {
    await go('Parties')
    await p.waitForURL(/parties-parties/)
    await onRow()
    await key('/')
    await type('Keyboard Works')
    await p.waitForURL(/q=Keyboard/)
    await p.getByText('1 record').first().waitFor()
    await key('Enter')
    const id = (await api(p, 'GET', '/parties/parties?q=Keyboard%20Works&limit=1')).data[0].id
    const email = async () => (await api(p, 'GET', `/parties/parties/${id}?fields=email`)).email
    await p.waitForFunction(() => document.activeElement?.closest('[role=grid]'))
    for (let i = 0; i < 12 && (await p.evaluate(() => document.querySelector('[aria-selected=true][data-field], .g-cell.active')?.getAttribute('data-field'))) !== 'email'; i++) await key('ArrowRight')
    await key('Enter')
    await type('hello@keyboard.test')
    await key('Enter')
    for (let i = 0; i < 40 && !(await email()); i++) await p.waitForTimeout(100)
    equal(await email(), 'hello@keyboard.test')
    await key('Escape', 'Control+z')
    for (let i = 0; i < 40 && (await email()); i++) await p.waitForTimeout(100)
    equal(await email() ?? null, null, 'undone')
  })

  await chain('keys alone: a word to colleagues, the sheet of keys, and home', async () => {
    await key('o')
    await panel.getByRole('heading', { name: 'Keyboard Works LLP' }).waitFor()
    await key('?')
    await p.getByRole('dialog', { name: /Keyboard|shortcuts/i }).waitFor()
    await key('Escape')
    await p.getByRole('dialog').waitFor({ state: 'detached' })
    await key('Escape')
    await panel.waitFor({ state: 'detached' })
    await go('Home')
    await p.waitForURL((u) => u.pathname === '/')
  })

  await test('keys alone: where the focus stood could be seen', async () => equal([...new Set(unseen)].slice(0, 12).join(' · '), ''))
  await p.context().close()
}
