// A table of one's own: made with its fields and its flow, filled by its form, worked on a board, approved; read by who may only read.
import { colleague } from './approvals.mjs'
import { api, axe, BASE, chains, equal, fresh, newcomer, page, shot, truth } from './kit.mjs'

export async function own(browser) {
  const chain = chains()
  const p = await page(browser)
  await newcomer(p, fresh('builder'), 'House of Venues')
  const ada = await colleague(browser, p, 'admin')
  const ids = {}
  let table

  await chain('an owner makes a table', async () => {
    await p.goto(`${BASE}/settings/tables`)
    await p.getByText('No tables of your own yet').waitFor()
    await axe(p, 'no tables')
    await shot(p, 'own-1-none')
    await p.getByRole('button', { name: 'New table' }).click()
    const d = p.getByRole('dialog')
    await d.getByLabel('Name of many').fill('Venues')
    await d.getByLabel('Name of one').fill('Venue')
    equal(await d.getByLabel('Key', { exact: false }).first().inputValue(), 'venues', 'the key follows')
    await d.getByRole('button', { name: 'Map pin', exact: true }).click()
    await d.getByLabel('What it is for').fill('Where we meet people.')
    await axe(p, 'a new table')
    await shot(p, 'own-2-dialog')
    await d.getByRole('button', { name: 'Create' }).click()
    await p.getByRole('heading', { name: 'Venues', level: 1 }).waitFor()
    await p.getByRole('navigation', { name: 'Main menu' }).getByRole('link', { name: 'Venues' }).waitFor()
    table = new URL(p.url()).searchParams.get('table')
  })

  await chain('its fields: a number, a choice, a day', async () => {
    const add = async (name, type, options = []) => {
      await p.getByRole('button', { name: 'New field' }).click()
      const d = p.getByRole('dialog')
      await d.getByLabel('Name').fill(name)
      await d.getByLabel('Type').selectOption(type)
      for (const [i, o] of options.entries()) { await d.getByRole('button', { name: 'Add choice' }).click(); await d.getByLabel(`Choice ${i + 1}`, { exact: true }).fill(o) }
      await d.getByRole('button', { name: 'Create' }).click()
      await d.waitFor({ state: 'detached' })
      await p.getByRole('cell', { name, exact: true }).waitFor()
    }
    await add('Capacity', 'number')
    await add('City', 'select', ['Almaty', 'Astana'])
    await add('Opened', 'date')
  })

  await chain('its flow: three states and what moves a venue on', async () => {
    for (const [i, label] of ['Planned', 'Booked', 'Held'].entries()) {
      await p.getByRole('button', { name: 'Add state' }).click()
      await p.getByLabel(`State ${i + 1}`, { exact: true }).fill(label)
    }
    for (const [i, label] of ['Book', 'Hold'].entries()) {
      await p.getByRole('button', { name: 'Add action' }).click()
      await p.getByLabel(`Action ${i + 1}`, { exact: true }).fill(label)
    }
    equal(await p.getByLabel('From, action 2', { exact: true }).locator('option:checked').innerText(), 'Booked', 'a next action goes on from there')
    await p.getByRole('button', { name: 'Save', exact: true }).click()
    await p.getByRole('link', { name: 'Board' }).waitFor()
    const made = (await api(p, 'GET', '/tables')).data[0]
    equal(made.states.map((s) => s.id).join(), 'planned,booked,held')
    equal(made.moves.map((m) => `${m.source} ${m.action} ${m.target}`).join(), 'planned book booked,booked hold held')
    await axe(p, 'the table')
    await shot(p, 'own-3-design')
  })

  await chain('holding one waits for an administrator', async () => {
    await p.goto(`${BASE}/settings/approvals`)
    await p.getByRole('button', { name: 'New rule' }).click()
    const d = p.getByRole('dialog')
    await d.getByLabel('Name *', { exact: true }).fill('Holding')
    await d.getByLabel('Records').selectOption('custom.venues')
    await d.getByLabel('Action that waits').selectOption('hold')
    await d.getByLabel('Roles').selectOption('admin')
    await d.getByRole('button', { name: 'Save' }).click()
    await p.getByText('Hold · Venue').waitFor()
  })

  await chain('one by its form, others after it', async () => {
    await p.goto(`${BASE}/settings/tables?table=${table}`)
    await p.getByRole('link', { name: 'Form' }).click()
    await p.getByRole('textbox', { name: 'Name', exact: true }).first().fill('Great hall')
    await p.getByRole('textbox', { name: 'Capacity' }).first().fill('250')
    await axe(p, 'the form')
    await shot(p, 'own-4-form')
    await p.getByRole('button', { name: 'Save and next' }).click()
    for (let i = 0; i < 40 && !ids.hall; i++) { ids.hall = (await api(p, 'GET', '/custom/venues')).data[0]?.id; await p.waitForTimeout(100) }
    const hall = await api(p, 'GET', `/custom/venues/${ids.hall}`)
    equal([hall.name, Number(hall['cf.capacity']), hall.state].join(), 'Great hall,250,planned')
    for (const [name, capacity, city] of [['Arena', 9000, 'astana'], ['Attic', 30, 'almaty'], ['Barn', 70, 'almaty']]) ids[name] = (await api(p, 'POST', '/custom/venues', { name, 'cf.capacity': capacity, 'cf.city': city, 'cf.opened': '2026-05-01' })).id
  })

  await chain('a board by its states is kept as a view; a card carried is booked', async () => {
    await p.goto(`${BASE}/settings/tables?table=${table}`)
    await p.getByRole('link', { name: 'Board' }).click()
    const lane = (name) => p.getByRole('region', { name, exact: true })
    await lane('Planned').locator(`[data-card="${ids.hall}"]`).waitFor()
    await p.getByRole('button', { name: 'Save as view' }).click()
    await p.getByRole('dialog').getByLabel('Name').fill('By state')
    await p.getByRole('dialog').getByRole('button', { name: 'Save' }).click()
    await p.waitForURL(/view=/)
    await p.getByRole('dialog').waitFor({ state: 'detached' })
    const a = await p.locator(`[data-card="${ids.hall}"]`).boundingBox(); const b = await lane('Booked').locator('.lane-body').boundingBox()
    await p.mouse.move(a.x + 40, a.y + 14)
    await p.mouse.down()
    await p.mouse.move(a.x + 60, a.y + 30, { steps: 4 })
    await p.mouse.move(b.x + 120, b.y + 100, { steps: 8 })
    await p.mouse.up()
    await lane('Booked').locator(`[data-card="${ids.hall}"]`).waitFor()
    const state = async () => (await api(p, 'GET', `/custom/venues/${ids.hall}`)).state
    for (let i = 0; i < 40 && await state() !== 'booked'; i++) await p.waitForTimeout(100)
    equal(await state(), 'booked')
    await axe(p, 'the board')
    await shot(p, 'own-5-board')
  })

  await chain('it is held when the administrator has agreed', async () => {
    await p.goto(`${BASE}/o/custom-venues/r/${ids.hall}`)
    await p.getByRole('button', { name: 'Hold', exact: true }).click()
    await p.getByRole('region', { name: 'Approvals' }).getByText('Admin Stone').waitFor()
    await axe(p, 'a record that waits')
    await shot(p, 'own-6-waits')
    await ada.goto(`${BASE}/approvals`)
    await ada.getByRole('list', { name: 'To decide' }).getByText('Great hall').first().click()
    await ada.getByRole('button', { name: 'Approve' }).first().click()
    await ada.getByRole('dialog').getByRole('button', { name: 'Approve' }).click()
    await ada.getByText('Nothing waits for you').waitFor()
    equal((await api(p, 'GET', `/custom/venues/${ids.hall}`)).state, 'held')
  })

  await chain('who may only read sees it and cannot write; another company sees nothing', async () => {
    await api(p, 'POST', '/roles', { name: 'visitor', label: 'Visitor', grants: { 'custom.venues': { read: 'all' } } })
    const eva = await colleague(browser, p, 'visitor')
    await eva.getByRole('navigation', { name: 'Main menu' }).getByRole('link', { name: 'Venues' }).click()
    await eva.getByText('Arena').first().waitFor()
    equal(await eva.getByRole('button', { name: /^New/ }).count(), 0, 'nothing to make')
    const asked = (q, method, path, body) => q.evaluate(async ([m, u, b]) => (await fetch(`/api/v1${u}`, { method: m, headers: { 'Content-Type': 'application/json' }, ...(b && { body: JSON.stringify(b) }) })).status, [method, path, body])
    equal(await asked(eva, 'PATCH', `/custom/venues/${ids.Arena}`, { name: 'Mine' }), 403)
    equal(await asked(eva, 'POST', '/custom/venues', { name: 'Mine' }), 403)
    await shot(eva, 'own-7-reader')
    await eva.context().close()
    const other = await page(browser)
    await newcomer(other, fresh('other'), 'Other House')
    equal(await asked(other, 'GET', '/custom/venues'), 404)
    equal(await asked(other, 'GET', `/custom/venues/${ids.Arena}`), 404)
    await other.context().close()
  })

  await chain('thrown away and brought back, with what is in it', async () => {
    await p.goto(`${BASE}/settings/tables?table=${table}`)
    await p.getByRole('button', { name: 'Remove Venues' }).click()
    await p.getByRole('alertdialog').or(p.getByRole('dialog')).getByRole('button', { name: 'Delete' }).click()
    const restore = p.getByRole('button', { name: 'Restore: Venues' })
    await restore.click()
    await restore.waitFor({ state: 'detached' })
    await p.getByRole('link', { name: /^Venues/ }).first().waitFor()
    truth((await api(p, 'GET', '/custom/venues')).data.length === 4, 'all are there')
    await axe(p, 'the tables')
  })

  await chain('in the dark and on a phone', async () => {
    const phone = await page(browser, { width: 390, height: 800, touch: true, theme: 'dark' })
    await phone.context().addCookies(await p.context().cookies())
    for (const [name, at] of [['tables', '/settings/tables'], ['design', `/settings/tables?table=${table}`], ['list', '/o/custom-venues']]) {
      await phone.goto(`${BASE}${at}`)
      await phone.locator('#main').getByText(name === 'list' ? 'Arena' : 'Venues').first().waitFor()
      equal(await phone.evaluate(() => document.documentElement.scrollWidth > innerWidth + 1), false, `${name} fits`)
      await axe(phone, `${name} on a phone`)
      await shot(phone, `own-8-phone-${name}`)
    }
    await phone.context().close()
    const dark = await page(browser, { theme: 'dark' })
    await dark.context().addCookies(await p.context().cookies())
    await dark.goto(`${BASE}/settings/tables?table=${table}`)
    await dark.getByRole('heading', { name: 'Venues', level: 1 }).waitFor()
    await dark.getByRole('cell', { name: 'Capacity', exact: true }).waitFor()
    await axe(dark, 'in the dark')
    await shot(dark, 'own-9-dark')
    await dark.context().close()
  })
  equal(p.problems.join('\n'), '')
  await ada.context().close()
  await p.context().close()
}
