// The company as a role sees it; what comes back in a calendar; a board and a dashboard behind a link.
import { api, axe, BASE, chains, equal, page, shot, signIn, truth } from './kit.mjs'

export async function roles(browser, email) {
  const chain = chains()
  const p = await page(browser)
  await signIn(p, email)

  await chain('an owner looks at the company as a role, by keys, and changes nothing', async () => {
    await p.goto(`${BASE}/settings/roles`)
    await p.getByRole('group', { name: 'Roles' }).getByRole('button', { name: /^Salesperson/ }).click()
    await p.getByRole('button', { name: 'View as this role' }).focus()
    await p.keyboard.press('Enter')
    await p.getByRole('menuitem', { name: 'In the whole company' }).waitFor()
    await p.keyboard.press('Enter')
    const banner = p.getByRole('region', { name: 'View as a role' })
    await banner.waitFor()
    truth((await banner.innerText()).includes('Salesperson'), 'the banner names the role')
    await axe(p, 'view as')
    await shot(p, 'roles-1-view-as')
    equal((await p.evaluate(() => fetch('/api/v1/me', { method: 'PATCH', headers: { 'Content-Type': 'application/json' }, body: '{"theme":"dark"}' }).then((r) => r.status))), 403, 'nothing is changed')
    await p.keyboard.press('ControlOrMeta+k')
    await p.getByRole('dialog').getByRole('combobox').fill('end the')
    await p.keyboard.press('Enter')
    await p.waitForURL('**/settings/roles')
    equal(await banner.count(), 0, 'it has ended')
  })

  await chain('what comes back stands on each of its days; one is left out, all of it moves', async () => {
    const field = (name, type) => api(p, 'POST', '/fields', { entity: 'parties.parties', name, label: `Own ${name}`, type })
    await field('visit', 'date')
    await field('again', 'recurrence')
    const { id } = await api(p, 'POST', '/parties/parties', { name: 'Weekly visit', is_customer: true, 'cf.visit': '2026-11-02', 'cf.again': 'FREQ=WEEKLY;BYDAY=MO' })
    const options = encodeURIComponent(JSON.stringify({ date: 'cf.visit' }))
    await p.goto(`${BASE}/o/parties-parties?view=all&as=calendar&on=2026-11-15&options=${options}`)
    const events = p.locator(`[data-event="${id}"]`)
    await events.first().waitFor()
    equal(await events.count(), 5, 'five Mondays of November')
    await axe(p, 'recurrence')
    await shot(p, 'roles-2-series')
    await events.nth(1).focus()
    await p.keyboard.press('Delete')
    const dialog = p.getByRole('dialog')
    await dialog.getByRole('button', { name: /^Leave out/ }).click()
    await dialog.waitFor({ state: 'detached' })
    await p.waitForFunction((i) => document.querySelectorAll(`[data-event="${i}"]`).length === 4, id)
    await events.first().focus()
    await p.keyboard.press('Space')
    await p.keyboard.press('ArrowRight')
    await p.keyboard.press('Enter')
    await p.getByRole('dialog').getByText('whole series').first().waitFor()
    await shot(p, 'roles-3-moves')
    await p.getByRole('button', { name: 'Move the whole series' }).click()
    await p.waitForFunction((i) => [...document.querySelectorAll(`[data-event="${i}"]`)].every((e) => new Date(e.dataset.from).getUTCDay() === 2), id)
    const row = await api(p, 'GET', `/parties/parties/${id}`)
    equal(row['cf.again'], 'FREQ=WEEKLY;BYDAY=TU\nEXDATE:20261110', 'the rule went with it')
    await p.goto(`${BASE}/o/parties-parties/r/${id}`)
    await p.getByText('Every week on Tuesday').first().waitFor()
  })

  await chain('a link shows a board as one, and a dashboard with its numbers', async () => {
    const widgets = [{ id: 'a', kind: 'number', value: 'count', x: 0, y: 0, w: 3, h: 2 }, { id: 'b', kind: 'bar', value: 'count', group: 'country', x: 3, y: 0, w: 9, h: 5 }]
    const open = async (body) => {
      const view = await api(p, 'POST', '/views', { visibility: 'private', ...body })
      const { token } = await api(p, 'POST', '/shares', { view_id: view.id })
      const guest = await page(browser)
      await guest.goto(`${BASE}/s/${token}`)
      return guest
    }
    const board = await open({ entity: 'sales.orders', name: 'Orders at work', kind: 'board', state: {} })
    await board.locator('.shared-board section').first().waitFor()
    await axe(board, 'shared board')
    await shot(board, 'roles-4-board')
    const dash = await open({ entity: 'parties.parties', name: 'Numbers', kind: 'dashboard', state: { options: { widgets: JSON.stringify(widgets) } } })
    await dash.locator('.shared-dash .big').first().waitFor()
    await axe(dash, 'shared dashboard')
    await shot(dash, 'roles-5-dashboard')
    for (const g of [board, dash]) { equal(g.problems.length, 0, g.problems.join('; ')); await g.context().close() }
  })
  equal(p.problems.length, 0, p.problems.join('; '))
  await p.context().close()
}
