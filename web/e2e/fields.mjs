// Fields of one's own of every type: added by the owner, filled by keyboard, seen in the table, asked by a filter.
import { api, axe, BASE, chains, equal, page, shot, signIn, truth } from './kit.mjs'

const TYPES = { richtext: 'Formatted text', rating: 'Rating', duration: 'Duration', color: 'Colour', location: 'Place', user: 'Person', country: 'Country', timezone: 'Time zone', barcode: 'Barcode', signature: 'Signature', recurrence: 'Recurrence' }

export async function fields(browser, email) {
  const chain = chains()
  const p = await page(browser)
  await signIn(p, email)
  const label = (type) => `Own ${type}`
  let id

  await chain('an owner adds one field of each type', async () => {
    await p.goto(`${BASE}/settings/fields?entity=parties.parties`)
    for (const [type, name] of Object.entries(TYPES)) {
      await p.getByRole('button', { name: 'New field' }).click()
      const d = p.getByRole('dialog')
      await d.getByLabel('Name').fill(label(type))
      await d.getByLabel('Type').selectOption({ label: name })
      if (type === 'rating') await d.getByLabel('Out of').selectOption('10')
      await d.getByRole('button', { name: 'Create' }).click()
      await d.waitFor({ state: 'detached' })
      await p.getByRole('cell', { name: label(type), exact: true }).waitFor()
    }
    await axe(p, 'fields')
    await shot(p, 'fields-1-settings')
  })

  await chain('a record is filled without a mouse', async () => {
    id = (await api(p, 'POST', '/parties/parties', { name: 'Fields and Sons', is_customer: true })).id
    await p.goto(`${BASE}/o/parties-parties/r/${id}`)
    await p.getByRole('button', { name: /^More fields/ }).focus()
    await p.keyboard.press('Enter')
    const fill = async (type, act) => {
      const edit = p.getByRole('button', { name: `Edit ${label(type)}`, exact: true })
      await edit.focus()
      await p.keyboard.press('Enter')
      await edit.waitFor({ state: 'detached' })
      await act()
    }
    // Each is open when the focus is in it.
    const at = (role) => p.waitForFunction((r) => document.activeElement?.matches(r), role)
    await fill('rating', async () => { await at('[role=slider]'); await p.keyboard.press('7'); await p.keyboard.press('ArrowRight'); equal(await p.getByRole('slider').getAttribute('aria-valuenow'), '8', 'stars') })
    await shot(p, 'fields-2-rating')
    await fill('duration', async () => { await at('input'); await p.keyboard.type('1:30') })
    await fill('color', async () => { await at('input'); await p.keyboard.type('#ffaa00') })
    await fill('location', async () => { await at('input'); await p.keyboard.type('43.238949, 76.889709, Almaty') })
    await shot(p, 'fields-3-place')
    await fill('barcode', async () => { await at('input'); await p.keyboard.type('4006381333932'); await p.getByText('The last digit does not fit').waitFor(); await p.keyboard.press('Backspace'); await p.keyboard.type('1') })
    await fill('country', async () => { await at('select'); await p.keyboard.type('Kazakh') })
    await fill('timezone', async () => { await at('select'); await p.keyboard.type('Asia/Almaty') })
    await fill('signature', async () => { await at('input'); await p.keyboard.type('Aigerim Sadykova') })
    await fill('richtext', async () => {
      await at('textarea')
      await p.keyboard.type('Thank you ')
      await p.keyboard.press('ControlOrMeta+b')
      await p.keyboard.type('much')
      await p.keyboard.press('End')
      await p.keyboard.type(', @Aig')
      await p.locator('[role=listbox] [role=option]').first().waitFor()
      await axe(p, 'record with an open editor')
      await shot(p, 'fields-4-editor')
      await p.keyboard.press('Enter')
    })
    await p.keyboard.press('ControlOrMeta+Enter')
    const saved = async () => { for (let i = 0; i < 40; i++) { const r = await api(p, 'GET', `/parties/parties/${id}`); if (r['cf.own_richtext'] && r['cf.own_signature']) return r; await p.waitForTimeout(150) } throw new Error('not saved') }
    const r = await saved()
    equal(r['cf.own_rating'], 8)
    equal(r['cf.own_duration'], 90)
    equal(r['cf.own_color'], '#ffaa00')
    equal(r['cf.own_location'].label, 'Almaty')
    equal(r['cf.own_barcode'], '4006381333931')
    equal(r['cf.own_country'], 'KZ')
    equal(r['cf.own_timezone'], 'Asia/Almaty')
    equal(r['cf.own_signature'].text, 'Aigerim Sadykova')
    truth(r['cf.own_signature'].by && r['cf.own_signature'].at, 'who signed and when')
    truth(r['cf.own_richtext'].startsWith('Thank you **much**, @Aigerim'), r['cf.own_richtext'])
    await p.locator('.rich strong', { hasText: 'much' }).waitFor()
    await axe(p, 'record')
    await shot(p, 'fields-5-record')
  })

  await chain('what comes back is made and changed by keys, and says itself in words', async () => {
    const edit = p.getByRole('button', { name: `Edit ${label('recurrence')}`, exact: true })
    // What is saved closes on the page, too, before the next is opened.
    const saved = async (rule) => { await edit.waitFor(); for (let i = 0; i < 60; i++) { if ((await api(p, 'GET', `/parties/parties/${id}`))['cf.own_recurrence'] === rule) return; await p.waitForTimeout(100) } equal((await api(p, 'GET', `/parties/parties/${id}`))['cf.own_recurrence'], rule) }
    // Goes on by Tab to what has this name.
    const on = async (name) => { for (let i = 0; i < 12; i++) { await p.keyboard.press('Tab'); if (await p.evaluate((n) => { const e = document.activeElement; return [e.getAttribute('aria-label'), e.querySelector('.visually-hidden')?.textContent, e.closest('label')?.textContent].includes(n) }, name)) return } throw new Error(`no way to ${name}`) }
    await edit.focus()
    await p.keyboard.press('Enter')
    await p.waitForFunction(() => document.activeElement?.tagName === 'SELECT')
    await p.keyboard.type('Every week')
    await on('Tuesday')
    await p.keyboard.press('Space')
    await on('Friday')
    await p.keyboard.press('Space')
    await p.locator('output', { hasText: 'Every week on Tuesday and Friday' }).waitFor()
    await axe(p, 'recurrence')
    await shot(p, 'fields-6-recurrence')
    await p.keyboard.press('ControlOrMeta+Enter')
    await saved('FREQ=WEEKLY;BYDAY=TU,FR')
    await edit.focus()
    await p.keyboard.press('Enter')
    await on('at an interval of')
    await p.keyboard.press('ArrowUp')
    await on('When it ends')
    await p.keyboard.type('Ends after')
    await p.locator('output', { hasText: 'Every 2 weeks on Tuesday and Friday, 10 times' }).waitFor()
    await p.keyboard.press('ControlOrMeta+Enter')
    await saved('FREQ=WEEKLY;INTERVAL=2;BYDAY=TU,FR;COUNT=10')
  })

  await chain('files are put into their field by keys, one after the other', async () => {
    await api(p, 'POST', '/fields', { entity: 'parties.parties', name: 'own_papers', label: 'Own papers', type: 'file' })
    await p.reload()
    await p.getByRole('button', { name: /^More fields/ }).focus()
    await p.keyboard.press('Enter')
    const edit = p.getByRole('button', { name: 'Edit Own papers', exact: true })
    await edit.focus()
    await p.keyboard.press('Enter')
    await p.waitForFunction(() => document.activeElement?.textContent === 'Choose file')
    for (const name of ['first.txt', 'second.txt']) {
      const [chooser] = await Promise.all([p.waitForEvent('filechooser'), p.keyboard.press('Enter')])
      await chooser.setFiles({ name, mimeType: 'text/plain', buffer: Buffer.from(name) })
      await p.getByRole('button', { name: `Remove ${name}` }).waitFor()
    }
    await p.keyboard.press('ControlOrMeta+Enter')
    await edit.waitFor()
    const names = async () => ((await api(p, 'GET', `/parties/parties/${id}`))['cf.own_papers'] ?? []).map((f) => f.name).join()
    for (let i = 0; i < 40 && (await names()) !== 'first.txt,second.txt'; i++) await p.waitForTimeout(100)
    equal(await names(), 'first.txt,second.txt')
    await shot(p, 'fields-8-files')
  })

  await chain('the table shows them and finds by them', async () => {
    const of = (filter) => `${BASE}/o/parties-parties?as=table&columns=${encodeURIComponent(JSON.stringify(['name', ...Object.keys(TYPES).map((x) => `cf.own_${x}`)]))}&filter=${encodeURIComponent(JSON.stringify({ operator: 'AND', rules: [filter] }))}`
    for (const filter of [
      { field: 'cf.own_rating', operator: 'greater_or_equal', value: 8 }, { field: 'cf.own_duration', operator: 'equals', value: 90 }, { field: 'cf.own_color', operator: 'equals', value: '#ffaa00' },
      { field: 'cf.own_location', operator: 'within_km', value: { lat: 43.2, lon: 76.9, km: 20 } }, { field: 'cf.own_country', operator: 'in', value: ['KZ'] }, { field: 'cf.own_timezone', operator: 'in', value: ['Asia/Almaty'] },
      { field: 'cf.own_barcode', operator: 'starts_with', value: '4006' }, { field: 'cf.own_richtext', operator: 'contains_ci', value: 'MUCH' }, { field: 'cf.own_signature', operator: 'is_not_empty' },
    ]) {
      await p.goto(of(filter))
      await p.locator(`.g-row[data-id="${id}"]`).waitFor()
      equal(await p.locator('.g-row[data-id]').count(), 1, filter.field)
    }
    await p.goto(of({ field: 'cf.own_location', operator: 'within_km', value: { lat: 43.2, lon: 76.9, km: 20 } }))
    await p.locator(`.g-row[data-id="${id}"]`).waitFor()
    await axe(p, 'table')
    await shot(p, 'fields-7-table')
  })
  equal(p.problems.join('\n'), '')
  await p.context().close()
}
