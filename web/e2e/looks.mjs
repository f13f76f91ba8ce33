// Every screen in both themes: axe finds nothing, nothing is broken, a picture of each for people to look at.
import { api, axe, BASE, page, shot, signIn, test, equal } from './kit.mjs'

export async function looks(browser, email) {
  for (const theme of ['light', 'dark']) {
    const out = await page(browser, { theme })
    for (const [name, path] of [['login', '/login'], ['register', '/register'], ['verify', '/verify?email=a@b.test'], ['forgot', '/forgot'], ['reset', '/reset?email=a@b.test&code=x'], ['accept', '/accept?code=x'], ['missing', '/no/such/page']]) {
      await test(`${name}, ${theme}`, async () => {
        await out.goto(BASE + path)
        await out.getByRole('heading', { level: 1 }).waitFor()
        await shot(out, `look-${name}-${theme}`)
        await axe(out, name)
      })
    }
    await out.context().close()

    const p = await page(browser, { theme })
    await signIn(p, email)
    // What the person chose in another journey must not decide the theme here.
    await api(p, 'PATCH', '/me', { theme })
    const order = (await api(p, 'GET', '/sales/orders?limit=1')).data[0]?.id
    const invoice = (await api(p, 'GET', '/finance/invoices?limit=1')).data[0]?.id
    const screens = [
      ['home', '/'], ['onboarding', '/onboarding'],
      ['table', '/o/parties-parties'], ['table-empty', '/o/parties-parties?q=zzzzzz'], ['orders', '/o/sales-orders'],
      ['filter', '/o/parties-parties?filter=' + encodeURIComponent(JSON.stringify({ operator: 'AND', rules: [{ field: 'tier', operator: 'in', value: ['gold'] }, { field: 'name', operator: 'contains_ci', value: 'a' }] })), (q) => q.getByRole('button', { name: /^Tier/ }).click()],
      ['panel', `/o/sales-orders?rec=${order}`], ['panel-activity', `/o/sales-orders?rec=${order}&tab=activity`], ['panel-files', `/o/sales-orders?rec=${order}&tab=files`],
      ['page', `/o/sales-orders/r/${order}`], ['page-related', `/o/sales-orders/r/${order}?tab=related`], ['invoice', `/o/finance-invoices/r/${invoice}`],
      ['create', '/o/sales-orders?new=true', (q) => q.getByRole('button', { name: 'Add line' }).click()], ['create-invalid', '/o/products-products?new=true', (q) => q.getByRole('button', { name: 'Create' }).last().click()],
      ['palette', '/', async (q) => { await q.keyboard.press('Control+k'); await q.getByRole('dialog').waitFor() }],
      ['shortcuts', '/', async (q) => { await q.keyboard.press('Shift+?'); await q.getByRole('dialog').waitFor() }],
      ['columns', '/o/parties-parties', (q) => q.getByRole('button', { name: 'Columns' }).click()],
      ['import', '/o/parties-parties/import'],
      ['profile', '/settings/profile'], ['security', '/settings/security'], ['sessions', '/settings/sessions'], ['tokens', '/settings/tokens'], ['organization', '/settings/organization'],
      ['members', '/settings/members'], ['invite', '/settings/members', (q) => q.getByRole('button', { name: 'Invite' }).click()], ['roles', '/settings/roles'], ['fields', '/settings/fields'],
      ['new-field', '/settings/fields', (q) => q.getByRole('button', { name: 'New field' }).click()], ['audit', '/settings/audit'],
      ['user-menu', '/', (q) => q.getByRole('button', { name: /^Account of/ }).click()],
    ]
    for (const [name, path, then] of screens) {
      await test(`${name}, ${theme}`, async () => {
        await p.goto(BASE + path)
        await p.locator('h1,h2').first().waitFor()
        await p.waitForFunction(() => !document.querySelector('.skel'), null, { timeout: 8000 }).catch(() => {})
        if (then) { await then(p); await p.waitForTimeout(250) }
        equal(await p.evaluate(() => document.documentElement.dataset.theme), theme, 'theme')
        await shot(p, `look-${name}-${theme}`)
        await axe(p, name)
      })
    }
    await test(`no error on any screen, ${theme}`, async () => equal(p.problems.join('\n'), ''))
    await p.context().close()
  }

  const phone = await page(browser, { width: 390, height: 844 })
  await signIn(phone, email)
  for (const [name, path] of [['table', '/o/parties-parties'], ['orders', '/o/sales-orders'], ['home', '/'], ['settings', '/settings/profile']]) {
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
  })
  await api(ru, 'PATCH', '/me', { locale: 'en' })
  await ru.context().close()
}
