// Every screen in both themes: axe finds nothing, nothing is broken, a picture of each for people to look at, and one of all of them: out/contact-sheet.png.
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { api, axe, BASE, OUT, page, shot, signIn, test, equal } from './kit.mjs'

/** All pictures on one. */
async function contactSheet(browser) {
  const p = await page(browser, { width: 1640 })
  const files = readdirSync(OUT).filter((f) => /^(look|phone)-.*\.png$/.test(f)).sort()
  await p.setContent(`<style>body{margin:16px;font:12px sans-serif;display:grid;grid-template-columns:repeat(4,1fr);gap:12px}figure{margin:0}img{width:100%;border:1px solid #999;display:block}.phone img{width:50%}</style>${files.map((f) => `<figure class="${f.startsWith('phone') ? 'phone' : ''}"><img src="data:image/png;base64,${readFileSync(join(OUT, f)).toString('base64')}"><figcaption>${f.replace('.png', '')}</figcaption></figure>`).join('')}`)
  await p.screenshot({ path: join(OUT, 'contact-sheet.png'), fullPage: true })
  await p.context().close()
}

/** The screen as it stands, by day and by night. */
async function both(p, name) {
  for (const theme of ['light', 'dark']) {
    await p.evaluate((x) => { document.documentElement.dataset.theme = x }, theme)
    await shot(p, `look-${name}-${theme}`)
    await axe(p, `${name}, ${theme}`)
  }
}

export async function looks(browser, email) {
  const out = await page(browser)
  for (const [name, path] of [['login', '/login'], ['register', '/register'], ['verify', '/verify?email=a@b.test'], ['forgot', '/forgot'], ['reset', '/reset?email=a@b.test&code=x'], ['accept', '/accept?code=x'], ['missing', '/no/such/page']]) {
    await test(`${name}, light and dark`, async () => {
      await out.goto(BASE + path)
      await out.getByRole('heading', { level: 1 }).waitFor()
      await both(out, name)
    })
  }
  await out.context().close()

  const p = await page(browser)
  await signIn(p, email)
  await test('the theme is the person\'s, here and on the next device', async () => {
    await p.getByRole('button', { name: /^Account of/ }).click()
    await p.getByRole('menuitemcheckbox', { name: 'Dark' }).click()
    await p.waitForFunction(() => document.documentElement.dataset.theme === 'dark')
    const next = await page(browser)
    await signIn(next, email)
    equal(await next.evaluate(() => document.documentElement.dataset.theme), 'dark')
    await next.context().close()
    await api(p, 'PATCH', '/me', { theme: 'light' })
  })
  const order = (await api(p, 'GET', '/sales/orders?status=confirmed&limit=1')).data[0].id
  const invoice = (await api(p, 'GET', '/finance/invoices?limit=1')).data[0].id
  const screens = [
    ['home', '/'], ['onboarding', '/onboarding'],
    ['table', '/o/parties-parties'], ['table-empty', '/o/parties-parties?q=zzzzzz'], ['orders', '/o/sales-orders'],
    ['filter', '/o/parties-parties?filter=' + encodeURIComponent(JSON.stringify({ operator: 'AND', rules: [{ field: 'tier', operator: 'in', value: ['gold'] }, { field: 'name', operator: 'contains_ci', value: 'a' }] })), (q) => q.getByRole('button', { name: /^Tier/ }).click()],
    ['panel', `/o/sales-orders?rec=${order}`], ['panel-activity', `/o/sales-orders?rec=${order}&tab=activity`], ['panel-files', `/o/sales-orders?rec=${order}&tab=files`],
    ['page', `/o/sales-orders/r/${order}`], ['page-related', `/o/sales-orders/r/${order}?tab=related`], ['page-activity', `/o/sales-orders/r/${order}?tab=activity`], ['send', `/o/sales-orders/r/${order}`, async (q) => { await q.getByRole('button', { name: 'More actions' }).click(); await q.getByRole('menuitem', { name: 'Send by e-mail' }).click() }],
    ['action', `/o/sales-orders/r/${order}`, (q) => q.getByRole('group', { name: 'Actions' }).getByRole('button', { name: 'Ship some' }).click()], ['invoice', `/o/finance-invoices/r/${invoice}`],
    ['create', '/o/sales-orders?new=true', (q) => q.getByRole('button', { name: 'Add line' }).click()], ['create-invalid', '/o/products-products?new=true', (q) => q.getByRole('button', { name: 'Create' }).last().click()],
    ['comments', `/o/sales-orders/r/${order}?tab=comments`, (q) => q.getByRole('textbox', { name: /^Write a comment/ }).fill('Where is it?')], ['panel-comments', `/o/sales-orders?rec=${order}&tab=comments`],
    ['inbox', '/inbox'], ['inbox-done', '/inbox?in=done'], ['bell', '/', (q) => q.getByRole('button', { name: /^Notifications/ }).click()],
    ['palette', '/', async (q) => { await q.keyboard.press('Control+k'); await q.getByRole('dialog').waitFor() }],
    ['shortcuts', '/', async (q) => { await q.keyboard.press('Shift+?'); await q.getByRole('dialog').waitFor() }],
    ['columns', '/o/parties-parties', (q) => q.getByRole('button', { name: 'Columns' }).click()],
    ['found', '/', async (q) => { await q.keyboard.press('Control+k'); await q.getByRole('dialog').waitFor(); await q.keyboard.type('Orbit Energy'); await q.getByRole('option', { name: /Orbit Energy/ }).first().waitFor() }],
    ['bulk', '/o/parties-parties', async (q) => { await q.locator('.g-row[data-id]').first().getByRole('checkbox').check(); await q.getByRole('button', { name: 'Edit', exact: true }).click() }],
    ['import', '/o/parties-parties/import'],
    ...['board', 'calendar', 'timeline', 'workload', 'activity', 'pivot', 'dashboard', 'financial', 'form'].map((as) => [`as-${as}`, `/o/sales-orders?as=${as}`]),
    ...['list', 'gallery', 'map'].map((as) => [`as-${as}`, `/o/parties-parties?as=${as}`]), ['as-tree', '/o/products-categories?as=tree'],
    ['profile', '/settings/profile'], ['security', '/settings/security'], ['sessions', '/settings/sessions'], ['tokens', '/settings/tokens'], ['organization', '/settings/organization'],
    ['members', '/settings/members'], ['invite', '/settings/members', (q) => q.getByRole('button', { name: 'Invite' }).click()], ['roles', '/settings/roles'], ['fields', '/settings/fields'], ['tables', '/settings/tables'],
    ['new-field', '/settings/fields', (q) => q.getByRole('button', { name: 'New field' }).click()], ['audit', '/settings/audit'],
    ['user-menu', '/', (q) => q.getByRole('button', { name: /^Account of/ }).click()],
  ]
  for (const [name, path, then] of screens) {
    await test(`${name}, light and dark`, async () => {
      await p.goto(BASE + path)
      await p.locator('h1,h2').first().waitFor()
      await p.waitForFunction(() => !document.querySelector('.skel'), null, { timeout: 8000 }).catch(() => {})
      if (then) { await then(p); await p.waitForTimeout(250) }
      await both(p, name)
    })
  }
  await test('no error on any screen', async () => equal(p.problems.join('\n'), ''))
  await p.context().close()

  const phone = await page(browser, { width: 390, height: 844, touch: true })
  await signIn(phone, email)
  await api(phone, 'PATCH', '/me', { theme: 'light' })
  const first = (await api(phone, 'GET', '/sales/orders?limit=1')).data[0].id
  for (const [name, path] of [['table', '/o/parties-parties'], ['orders', '/o/sales-orders'], ['home', '/'], ['settings', '/settings/profile'], ['inbox', '/inbox'], ['record', `/o/sales-orders?rec=${first}`], ['page', `/o/sales-orders/r/${first}`], ['create', '/o/sales-orders?new=true']]) {
    await test(`${name} on a phone`, async () => {
      await phone.goto(BASE + path)
      await phone.locator('h1').first().waitFor()
      await phone.waitForTimeout(500)
      await shot(phone, `phone-${name}`)
      equal(await phone.evaluate(() => document.documentElement.scrollWidth <= innerWidth), true, 'no sideways scrolling')
      await axe(phone, name)
    })
  }
  await phone.context().close()

  const ru = await page(browser, { locale: 'ru-RU' })
  await signIn(ru, email)
  await api(ru, 'PATCH', '/me', { locale: 'ru' })
  await test('in Russian', async () => {
    await ru.goto(`${BASE}/o/sales-orders`)
    await ru.getByRole('button', { name: 'Столбцы' }).waitFor()
    await ru.waitForTimeout(400)
    await shot(ru, 'look-orders-ru')
    await axe(ru, 'ru')
    await ru.goto(`${BASE}/settings/roles`)
    await ru.getByRole('heading', { name: 'Роли', level: 1 }).waitFor()
    await shot(ru, 'look-roles-ru')
    for (const [name, path] of [['home', '/'], ['page', `/o/sales-orders/r/${(await api(ru, 'GET', '/sales/orders?limit=1')).data[0].id}`], ['audit', '/settings/audit']]) {
      await ru.goto(BASE + path)
      await ru.locator('h1').first().waitFor()
      await ru.waitForTimeout(400)
      await shot(ru, `look-${name}-ru`)
    }
  })
  await api(ru, 'PATCH', '/me', { locale: 'en' })
  await ru.context().close()
  await contactSheet(browser)
}
