// Views that sum up and views that show: a pivot as the server counts, a dashboard built by hand, galleries, trees, maps and the rest; then every table as everything it can be shown as.
import { readdirSync } from 'node:fs'
import { api, axe, BASE, equal, page, shot, signIn, test, truth } from './kit.mjs'

const KINDS = readdirSync(new URL('../src/views/', import.meta.url), { withFileTypes: true }).filter((d) => d.isDirectory() && readdirSync(new URL(`../src/views/${d.name}/`, import.meta.url)).includes('kind.ts')).map((d) => d.name)
const at = (entity, as, options, filter) => `${BASE}/o/${entity.replace('.', '-')}?as=${as}${options ? `&options=${encodeURIComponent(JSON.stringify(options))}` : ''}${filter ? `&filter=${encodeURIComponent(JSON.stringify(filter))}` : ''}`
const calm = (p) => p.waitForFunction(() => !document.querySelector('#main .skel') && !!document.querySelector('#main h1'))
const digits = (s) => s.replace(/[^\d.,-]/g, '').replace(/,/g, '').replace(/\.?0+$/, '')
/** Goes there inside the page, as a press on a link does. */
const within = async (p, url) => { await p.evaluate((u) => { history.pushState({}, '', u); dispatchEvent(new PopStateEvent('popstate')) }, url.slice(BASE.length)); await p.waitForTimeout(60) }

export async function views(browser, email, password) {
  const p = await page(browser)
  await signIn(p, email, password)
  const people = await api(p, 'GET', '/members')
  const me = people.data[0]
  const [a, b] = [await api(p, 'POST', '/parties/parties', { name: 'Views Anna LLP', is_customer: true, country: 'KZ', website: 'https://example.com/anna' }), await api(p, 'POST', '/parties/parties', { name: 'Views Berik LLP', is_customer: true, country: 'DE' })]
  const product = await api(p, 'POST', '/products/products', { name: 'Views plank', price: '100' })
  const orders = []
  for (const [customer, day, n, currency] of [[a, '2030-01-10', 1], [a, '2030-01-20', 2], [a, '2030-02-03', 3], [b, '2030-01-15', 4], [b, '2030-03-09', 5], [b, '2030-03-10', 6, 'USD']]) {
    orders.push(await api(p, 'POST', '/sales/orders', { customer_id: customer.id, ordered_on: day, required_on: '2030-04-01', note: 'views', ...(currency ? { currency } : {}), lines: [{ product_id: product.id, quantity: String(n), price: '100' }] }))
  }
  const mine = { operator: 'AND', rules: [{ field: 'note', operator: 'equals', value: 'views' }] }

  await test('a pivot says what the server counts: cells, rows, columns and all of it, each currency apart', async () => {
    await p.goto(at('sales.orders', 'pivot', { rows: 'customer_id', cols: 'ordered_on:month', values: 'sum:total,count' }, mine))
    await p.locator('table[role=grid]').waitFor()
    await calm(p)
    const said = async (groups) => (await api(p, 'POST', '/sales/orders/_aggregate', { group_by: groups, metrics: [{ function: 'sum', field: 'total', as: 'sum' }, { function: 'count', as: 'n' }], filter: mine })).data
    const cells = async (row) => p.locator('table[role=grid] tr').filter({ has: p.locator('th[scope=row]', { hasText: row }) }).locator('td[tabindex]').evaluateAll((all) => all.map((td) => [...td.querySelectorAll('.visually-hidden')].reduce((s, e) => s.replace(e.textContent, ''), td.innerText).trim().split('\n')))
    const total = await cells('Total')
    for (const whole of await said(['currency'])) truth(total.at(-2).some((x) => digits(x) === digits(whole.sum)), `all: ${JSON.stringify(total.at(-2))} has ${whole.sum}`)
    equal(total.at(-1).join(), '6', 'all counted')
    equal(total.at(-2).length, 2, 'two currencies are two sums')
    for (const row of (await said(['customer', 'currency']))) truth((await cells(row.customer.title)).at(-2).some((x) => digits(x) === digits(row.sum)), `${row.customer.title} ${row.sum}`)
    const months = await said(['ordered_on:month', 'currency'])
    equal(total.length, (new Set(months.map((m) => m.ordered_on)).size + 1) * 2, 'a column a month, and the whole')
    const anna = await cells('Views Anna')
    equal(digits(anna[0][0]), digits((await said(['customer', 'ordered_on:month'])).find((r) => r.customer.title === 'Views Anna LLP' && r.ordered_on === '2030-01-01').sum), 'a cell')
  })

  await test('by keyboard over the cells, sorted by a column, turned over, and behind a cell lie its records', async () => {
    await p.locator('td[data-at="0,0"]').focus()
    await p.keyboard.press('ArrowDown')
    await p.waitForFunction(() => document.activeElement?.dataset.at === '1,0')
    await p.keyboard.press('Home')
    await p.waitForFunction(() => document.activeElement?.dataset.at === '1,-1')
    await p.locator('thead th button', { hasText: 'Records' }).last().click()
    await p.waitForFunction(() => document.querySelector('tbody th[scope=row]')?.textContent.includes('Views'))
    equal(await p.locator('th[aria-sort=descending]').count(), 1, 'what it is sorted by is told')
    await p.getByRole('button', { name: 'Swap rows and columns' }).click()
    await p.locator('tbody th', { hasText: 'Jan 2030' }).waitFor()
    await p.locator('thead th', { hasText: 'Views Anna' }).first().waitFor()
    await shot(p, 'views-pivot')
    await p.locator('tr', { has: p.locator('th', { hasText: 'Jan 2030' }) }).locator('td[data-at]').first().click()
    await p.waitForURL(/as=table/)
    await p.getByText('2 records').first().waitFor()
    await p.goBack()
    await p.locator('table[role=grid]').waitFor()
    const [file] = await Promise.all([p.waitForEvent('download'), p.getByRole('button', { name: 'Save as CSV' }).click()])
    truth(file.suggestedFilename().endsWith('.csv'), 'a file')
  })

  await test('a dashboard is built by hand: widgets of two tables, moved by the arrows, saved, and there again', async () => {
    await p.goto(at('sales.orders', 'dashboard', { widgets: '[]' }, mine))
    const add = async (fill) => {
      await p.getByRole('button', { name: 'Add widget' }).first().click()
      const d = p.getByRole('dialog')
      await fill(d)
      await d.getByRole('button', { name: 'Add', exact: true }).click()
      await d.waitFor({ state: 'detached' })
    }
    await add(async (d) => { await d.getByLabel('Kind').selectOption('bar'); await d.getByLabel('Title').fill('Orders by customer'); await d.getByLabel('By', { exact: true }).selectOption('customer_id') })
    await add(async (d) => { await d.getByLabel('Kind').selectOption('number'); await d.getByLabel('Title').fill('How many') })
    await add(async (d) => { await d.getByLabel('Kind').selectOption('note'); await d.getByLabel('Title').fill('Remember'); await d.getByLabel('Text').fill('# Hello\n**strong** <img src=x onerror=alert(1)>\n- [in](https://example.com)') })
    await add(async (d) => { await d.getByLabel('Kind').selectOption('pie'); await d.getByLabel('Title').fill('Lines by product'); await d.getByLabel('About').selectOption('sales.order_lines'); await d.getByLabel('Value').waitFor(); await d.getByLabel('By', { exact: true }).selectOption('product_id') })
    const widget = (name) => p.getByRole('group', { name, exact: true })
    await widget('How many').locator('.d-big').filter({ hasText: /^6$/ }).waitFor()
    await widget('Lines by product').locator('[data-mark]').first().waitFor()
    equal(await p.locator('.d-note img').count(), 0, 'a note is words')
    const column = () => widget('How many').evaluate((e) => e.style.gridColumn)
    const before = await column()
    await p.getByRole('button', { name: 'Move How many', exact: true }).focus()
    await p.keyboard.press('Shift+ArrowRight')
    await p.waitForFunction((x) => [...document.querySelectorAll('[data-widget]')].find((e) => e.querySelector('h2')?.textContent === 'How many').style.gridColumn !== x, before)
    await p.locator('[role=status]').filter({ hasText: 'How many: column' }).waitFor({ state: 'attached' })
    const size = widget('Remember'); const box = await size.boundingBox(); const grip = await p.getByRole('button', { name: 'Move Remember', exact: true }).boundingBox()
    await p.mouse.move(grip.x + 8, grip.y + 8); await p.mouse.down(); await p.mouse.move(grip.x + 8, grip.y + 320, { steps: 6 }); await p.mouse.up()
    await p.waitForFunction((y) => [...document.querySelectorAll('[data-widget]')].find((e) => e.querySelector('h2')?.textContent === 'Remember').getBoundingClientRect().y !== y, box.y)
    await p.getByRole('button', { name: 'Done' }).click()
    await p.getByRole('button', { name: 'Save as view' }).click()
    await p.getByRole('dialog').getByLabel('Name').fill('Board of numbers')
    await p.getByRole('dialog').getByRole('button', { name: 'Save' }).click()
    await p.waitForURL(/view=/)
    await p.reload()
    await widget('Orders by customer').locator('[data-mark]').first().waitFor()
    equal(await p.locator('[data-widget]').count(), 4)
    equal((await api(p, 'GET', '/views?entity=sales.orders')).data.find((v) => v.name === 'Board of numbers').kind, 'dashboard')
  })

  await test('what is picked in one widget narrows the others, by mouse and by keyboard, until it is cleared', async () => {
    const widget = (name) => p.getByRole('group', { name, exact: true })
    const bars = widget('Orders by customer').locator('[data-mark]')
    const count = (n) => widget('How many').locator('.d-big').filter({ hasText: new RegExp(`^${n}$`) }).waitFor()
    truth(/Views (Anna|Berik) LLP: 3/.test(await bars.first().getAttribute('aria-label')), 'a bar says what it is')
    await bars.first().click()
    await count(3)
    await p.getByRole('button', { name: /No longer only/ }).click()
    await count(6)
    await bars.first().focus()
    await p.keyboard.press('ArrowRight')
    await p.keyboard.press('Enter')
    await count(3)
    equal(await bars.nth(1).getAttribute('aria-pressed'), 'true')
    await p.keyboard.press('Escape')
    await count(6)
    await widget('Orders by customer').getByRole('button', { name: /^Table/ }).click()
    await widget('Orders by customer').getByRole('row').filter({ hasText: 'Views Anna LLP' }).getByRole('button').click()
    await count(3)
    await shot(p, 'views-dashboard')
    const fresh = await api(p, 'POST', '/sales/orders', { customer_id: a.id, ordered_on: '2030-01-11', note: 'views', lines: [{ product_id: product.id, quantity: '1' }] })
    await count(4)
    await api(p, 'DELETE', `/sales/orders/${fresh.id}`, undefined, { 'If-Match': `"${fresh.version}"` })
    await count(3)
  })

  await test('a gallery: cards with initials, walked by the arrows, opened by Enter', async () => {
    await p.goto(at('parties.parties', 'gallery', undefined, { operator: 'AND', rules: [{ field: 'name', operator: 'starts_with', value: 'Views' }] }))
    await p.locator(`[data-card="${a.id}"]`).waitFor()
    equal(await p.locator('[data-card]').count(), 2)
    equal(await p.locator(`[data-card="${a.id}"] .v-cover`).getAttribute('data-i'), 'VA')
    truth(/Kazakhstan/.test(await p.locator(`[data-card="${a.id}"]`).innerText()), 'a country is called by its name')
    await p.locator('[data-place="0"]').focus()
    await p.keyboard.press('ArrowRight')
    await p.waitForFunction(() => document.activeElement?.dataset.place === '1')
    await p.keyboard.press('Enter')
    await p.waitForURL(/rec=/)
    await p.keyboard.press('Escape')
  })

  await test('a tree opens level by level, is moved by keyboard and mouse, and stays where the server says no', async () => {
    const make = (name, parent) => api(p, 'POST', '/products/categories', { name, ...(parent ? { parent_id: parent.id } : {}) })
    const [wood, steel] = [await make('Views wood'), await make('Views steel')]
    const oak = await make('Views oak', wood)
    const dark = await make('Views dark oak', oak)
    const node = (x) => p.locator(`[data-node="${x.id}"]`)
    const parent = async (x, y) => { for (let i = 0; i < 60; i++) { if ((await api(p, 'GET', `/products/categories/${x.id}`)).parent_id === (y?.id ?? null)) return; await p.waitForTimeout(100) } equal((await api(p, 'GET', `/products/categories/${x.id}`)).parent_id, y?.id ?? null) }
    await p.goto(at('products.categories', 'tree'))
    await node(wood).waitFor()
    await node(wood).focus()
    if ((await node(wood).getAttribute('aria-expanded')) === 'false') await p.keyboard.press('ArrowRight')
    await node(oak).waitFor()
    equal(await node(oak).getAttribute('aria-level'), '2')
    equal(await node(dark).count(), 0, 'a level that is closed is not asked for')
    await node(oak).focus()
    await p.keyboard.press('ArrowRight')
    await node(dark).waitFor()
    await node(dark).focus()
    await p.keyboard.press('Space')
    await p.keyboard.press('Home')
    await p.locator('.t-root.over').waitFor()
    await p.keyboard.press('Enter')
    await parent(dark, null)
    await p.locator(`[data-node="${dark.id}"][aria-level="1"]`).waitFor()
    const from = await node(oak).boundingBox(); const to = await node(steel).boundingBox()
    await p.mouse.move(from.x + 80, from.y + 16); await p.mouse.down(); await p.mouse.move(from.x + 90, from.y + 22, { steps: 3 }); await p.mouse.move(to.x + 120, to.y + 16, { steps: 6 })
    await p.locator(`[data-node="${steel.id}"].over`).waitFor()
    await p.mouse.up()
    await parent(oak, steel)
    await p.route('**/products/categories/*', (r) => (r.request().method() === 'PATCH' ? r.fulfill({ status: 422, contentType: 'application/problem+json', body: JSON.stringify({ title: 'Refused', status: 422, detail: 'Shelves may not hang here.' }) }) : r.continue()))
    await node(dark).focus()
    await p.keyboard.press('Space')
    await p.keyboard.press('ArrowUp')
    await p.keyboard.press('Enter')
    await p.locator('[data-sonner-toast]').filter({ hasText: 'Shelves may not hang here.' }).first().waitFor()
    await p.unroute('**/products/categories/*')
    await parent(dark, null)
    await p.getByRole('button', { name: 'Mind map' }).click()
    await p.locator('[data-spot]').filter({ hasText: 'Views steel' }).waitFor()
    await p.locator('[data-spot=""]').focus()
    await p.keyboard.press('ArrowRight')
    await p.waitForFunction(() => document.activeElement?.getAttribute('aria-level') === '2')
    const [file] = await Promise.all([p.waitForEvent('download'), p.getByRole('button', { name: 'Save as SVG' }).click()])
    equal(file.suggestedFilename(), 'Categories.svg')
    await shot(p, 'views-mindmap')
  })

  await test('a board with rows across: a card goes to another row, a limit is told in words, a column closes', async () => {
    await p.goto(at('sales.orders', 'board', { swim: 'priority', wip: '{"draft":2}' }, mine))
    const id = orders[0].id
    const cell = (swim, lane = 'draft') => p.locator(`[data-lane="${lane}"][data-swim="${swim}"]`)
    await cell('normal').locator(`[data-card="${id}"]`).waitFor()
    await p.getByText('4 over the limit').first().waitFor()
    await p.locator(`[data-card="${id}"]`).focus()
    await p.keyboard.press('Space')
    await p.keyboard.press('ArrowDown')
    await p.keyboard.press('Enter')
    await cell('high').locator(`[data-card="${id}"]`).waitFor()
    for (let i = 0; i < 60 && (await api(p, 'GET', `/sales/orders/${id}?fields=priority`)).priority !== 'high'; i++) await p.waitForTimeout(100)
    equal((await api(p, 'GET', `/sales/orders/${id}?fields=priority`)).priority, 'high')
    await shot(p, 'views-swimlanes')
    await axe(p, 'a board with rows')
    await p.goto(at('sales.orders', 'board', undefined, mine))
    await p.getByRole('button', { name: 'Column Shipped' }).click()
    await p.getByRole('menuitem', { name: 'Close the column' }).click()
    await p.getByRole('button', { name: 'Open the column Shipped' }).click()
    await p.getByRole('button', { name: 'Column Shipped' }).waitFor()
    await p.goto(at('sales.orders', 'board', { lanes: 'customer_id' }, mine))
    await p.getByRole('region', { name: 'Views Berik LLP', exact: true }).locator('[data-card]').first().waitFor()
    equal(await p.getByRole('region', { name: 'Views Berik LLP', exact: true }).locator('[data-card]').count(), 3)
  })

  await test('one after another through a form; the feed tells of it; the map, the money and the portfolio know of it', async () => {
    await p.goto(at('parties.parties', 'form'))
    const name = `Views Form ${Date.now() % 1e6}`
    await p.getByRole('textbox', { name: 'Name', exact: true }).first().fill(name)
    await p.getByRole('button', { name: 'Save and next' }).click()
    await p.locator('aside').getByRole('button', { name }).waitFor()
    equal(await p.getByRole('textbox', { name: 'Name', exact: true }).first().inputValue(), '', 'the form begins anew')
    await p.goto(at('parties.parties', 'activity'))
    await p.getByRole('article').filter({ hasText: name }).first().waitFor()
    await p.goto(at('parties.parties', 'map'))
    await p.getByRole('button', { name: /^Kazakhstan: \d+ record/ }).waitFor()
    await p.goto(at('sales.orders', 'financial', { step: 'month' }, mine))
    await p.getByRole('row').filter({ hasText: 'Mar 2030' }).first().waitFor()
    await p.goto(at('sales.orders', 'portfolio', undefined, mine))
    await p.locator('.f-card').first().waitFor()
    equal(await p.locator('.f-sum').filter({ hasText: 'On track' }).locator('.num').innerText(), '6')
    await p.goto(at('parties.parties', 'embed', undefined, { operator: 'AND', rules: [{ field: 'id', operator: 'in', value: [a.id] }] }))
    await p.getByRole('option', { name: 'Views Anna LLP' }).waitFor()
    await p.getByRole('link', { name: 'Open in a new tab' }).first().waitFor()
    truth(me.id, 'somebody')
  })

  await test('by day and by night, wide and on a phone: no violation, no sideways scrolling, few elements', async () => {
    const looks = [['sales.orders', 'pivot'], ['sales.orders', 'dashboard'], ['parties.parties', 'gallery'], ['products.categories', 'tree'], ['products.categories', 'tree', { look: 'radial' }], ['sales.orders', 'activity'], ['parties.parties', 'map'], ['sales.orders', 'financial'], ['sales.orders', 'portfolio'], ['parties.parties', 'form']]
    const phone = await page(browser, { width: 390, height: 844, touch: true })
    await signIn(phone, email, password)
    for (const [entity, as, options] of looks) {
      await p.goto(at(entity, as, options))
      await calm(p)
      for (const theme of ['light', 'dark']) {
        await p.evaluate((x) => { document.documentElement.dataset.theme = x }, theme)
        await shot(p, `views-${as}-${theme}`)
        await axe(p, `${as}, ${theme}`)
      }
      truth((await p.evaluate(() => document.querySelectorAll('*').length)) < 2500, `${as}: few elements`)
      await phone.goto(at(entity, as, options))
      await calm(phone)
      await shot(phone, `views-${as}-phone`)
      equal(await phone.evaluate(() => document.documentElement.scrollWidth <= innerWidth), true, `${as}: no sideways scrolling`)
      await axe(phone, `${as}, phone`)
    }
    await phone.context().close()
  })

  await test('saved views stand in the order that one drags them into, or puts them in by keys', async () => {
    const names = ['Order one', 'Order two', 'Order three']
    for (const [i, name] of names.entries()) await api(p, 'POST', '/views', { entity: 'products.products', name, visibility: 'private', position: i, state: {} })
    await p.goto(at('products.products', 'table'))
    const tabs = p.getByRole('group', { name: 'Views' }).getByRole('button').filter({ hasText: /^\s*Order (one|two|three)/ })
    const stand = async (...want) => { for (let i = 0; i < 60; i++) { if ((await tabs.allInnerTexts()).map((x) => x.trim()).join() === want.join()) return; await p.waitForTimeout(100) } equal((await tabs.allInnerTexts()).join(), want.join()) }
    await stand(...names)
    await tabs.nth(2).dragTo(tabs.nth(0))
    await stand('Order three', 'Order one', 'Order two')
    await tabs.nth(2).focus()
    await p.keyboard.press('Enter')
    await p.waitForURL(/view=/)
    const menu = p.getByRole('button', { name: 'Menu of the view Order two' })
    await menu.focus()
    await p.keyboard.press('Enter')
    await p.getByRole('menuitem', { name: 'Move earlier' }).waitFor()
    while (!await p.evaluate(() => document.activeElement?.textContent === 'Move earlier')) await p.keyboard.press('ArrowDown')
    await p.keyboard.press('Enter')
    await stand('Order three', 'Order two', 'Order one')
    await p.reload()
    await stand('Order three', 'Order two', 'Order one')
    for (const v of (await api(p, 'GET', '/views?entity=products.products')).data.filter((x) => names.includes(x.name))) await api(p, 'DELETE', `/views/${v.id}`)
  })

  await test('no error in these views', async () => equal(p.problems.join('\n'), ''))
  await p.context().close()
  await crawl(browser, email, password)
}

/** Every table of the menu, as every kind of view that it can be shown as. */
export async function crawl(browser, email, password) {
  const p = await page(browser)
  await signIn(p, email, password)
  const meta = await api(p, 'GET', '/meta')
  const entities = Object.values(meta.entities).filter((e) => !e.part_of).map((e) => e.name)
  await test(`${entities.length} tables in ${KINDS.length + 1} kinds of views: each shows something, or says what it lacks`, async () => {
    const wrong = []
    let now = ''
    let shown = 0
    p.on('response', (r) => { if (r.status() >= 400 && r.url().includes('/api/')) wrong.push(`${now}: ${r.status()} ${r.request().method()} ${r.url().slice(0, 200)}`) })
    p.on('pageerror', (e) => wrong.push(`${now}: ${e.message}`))
    for (const entity of entities) {
      for (const as of ['table', ...KINDS]) {
        now = `${entity} as ${as}`
        if (as === 'table') await p.goto(at(entity, as)); else await within(p, at(entity, as))
        await calm(p).catch(() => wrong.push(`${now}: still loading`))
        const said = await p.evaluate(() => [...document.querySelectorAll('#main [role=alert]')].map((x) => x.textContent).join(' '))
        if (said) wrong.push(`${now}: ${said.slice(0, 160)}`)
        if (!(await p.getByText('cannot be shown as').count())) shown++
      }
    }
    equal(wrong.join('\n'), '')
    truth(shown > entities.length * 5, `${shown} shown`)
    console.log(`       ${shown} views of ${entities.length} tables`)
  })
  await p.context().close()
}
