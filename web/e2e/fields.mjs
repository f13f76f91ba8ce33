// Fields of one's own of every type: added by the owner, filled by keyboard, seen in the table, asked by a filter.
import { api, axe, BASE, chains, chooserOf, equal, page, shot, signIn, truth } from './kit.mjs'

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
      const chooser = await chooserOf(p, () => p.keyboard.press('Enter'))
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

/** The types that only own fields have: made in the dialog, filled, seen, found, moved by. */
export async function types(browser, email) {
  const chain = chains()
  const p = await page(browser)
  await signIn(p, email)
  const MADE = {
    Starts: 'Time of day', Runs: 'Span of days', Crew: 'People', Where: 'Address', Ticket: 'Automatic number', Search: 'Button', Finish: 'Button', Phase: 'Status', Urgency: 'Priority', Kind: 'Badge', Mood: 'Label', Size: 'One of a list',
    Ready: 'Switch', Seen: 'Tick box', Notes: 'Markdown', Photos: 'Pictures', Face: 'Portrait', Sign: 'Icon', Done: 'Progress', Code: 'QR code',
  }
  const CHOICES = { Phase: ['Open', 'Waiting', 'Closed'], Urgency: ['Low', 'Normal', 'Urgent'], Kind: ['Inside', 'Outside'], Mood: ['Calm', 'Loud'], Size: ['Small', 'Large'] }
  const table = 'custom.gigs'; const at = '/custom/gigs'
  let id; let me
  const row = () => api(p, 'GET', `${at}/${id}`)
  const until = async (name, fits) => { for (let i = 0; i < 60; i++) { const v = (await row())[name]; if (fits(v)) return v; await p.waitForTimeout(100) } throw new Error(`${name}: ${JSON.stringify((await row())[name])}`) }

  await chain('an owner makes a field of each type in the dialog', async () => {
    const [{ id: own }] = (await api(p, 'GET', '/members')).data
    me = own
    await api(p, 'POST', '/tables', { name: 'gigs', title: 'Gigs', singular: 'Gig', icon: 'ticket', states: [{ id: 'new', label: 'New', color: 'gray' }, { id: 'over', label: 'Over', color: 'green' }], moves: [{ action: 'finish', label: 'Finish', source: 'new', target: 'over' }] })
    await api(p, 'POST', at, { name: 'Before' })
    await p.goto(`${BASE}/settings/fields?entity=${table}`)
    for (const [label, type] of Object.entries(MADE)) {
      await p.getByRole('button', { name: 'New field' }).click()
      const d = p.getByRole('dialog')
      await d.getByLabel('Name').fill(label)
      await d.getByLabel('Type').selectOption({ label: type })
      for (const [i, o] of (CHOICES[label] ?? []).entries()) {
        await d.getByRole('button', { name: 'Add choice' }).click()
        await d.getByLabel(`Choice ${i + 1}`, { exact: true }).fill(o)
      }
      if (label === 'Ticket') { await d.getByLabel('Before the number').fill('G-'); await d.getByText('G-0001').waitFor(); await shot(p, 'types-1-number') }
      if (label === 'Search') { await d.getByLabel('Web address').fill('https://example.org/?q='); await d.getByLabel('Put in a field…').selectOption('name'); await axe(p, 'a button is made'); await shot(p, 'types-2-button') }
      if (label === 'Finish') await d.getByLabel('When it is pressed').selectOption({ label: 'Moves the record on' })
      await d.getByRole('button', { name: 'Create' }).click()
      await d.waitFor({ state: 'detached' })
      await p.getByRole('cell', { name: label, exact: true }).waitFor()
    }
    await p.getByRole('button', { name: 'Edit Ticket' }).click()
    equal(await p.getByRole('dialog').getByLabel('Before the number').inputValue(), 'G-')
    await p.keyboard.press('Escape')
    await axe(p, 'own types')
    await shot(p, 'types-3-settings')
    equal((await api(p, 'GET', at)).data[0]['cf.ticket'], 1, 'who was there before has a number')
  })

  await chain('a record is filled by keys and mouse', async () => {
    id = (await api(p, 'POST', at, { name: 'Jazz & more' })).id
    await p.goto(`${BASE}/o/custom-gigs/r/${id}`)
    const more = p.getByRole('button', { name: /^More fields/ })
    await more.click()
    // Each is open when the focus is in it.
    const focused = (what) => p.waitForFunction((w) => document.activeElement?.matches(w), what)
    const edit = async (label, act, fits) => {
      await p.getByRole('button', { name: `Edit ${label}`, exact: true }).click()
      await p.getByRole('button', { name: `Edit ${label}`, exact: true }).waitFor({ state: 'detached' })
      await act()
      await p.keyboard.press('ControlOrMeta+Enter')
      await until(`cf.${label.toLowerCase()}`, fits)
      await p.getByRole('button', { name: `Edit ${label}`, exact: true }).waitFor()
    }
    await edit('Starts', async () => { await p.locator('input[type=time]').fill('21:05') }, (v) => v === '21:05')
    await edit('Runs', async () => { await p.getByLabel('First day').fill('2026-11-01'); await p.getByLabel('Last day').fill('2026-11-05') }, (v) => v === '2026-11-01/2026-11-05')
    await edit('Crew', async () => { await p.getByRole('option').first().waitFor(); await p.keyboard.type('Aigerim'); await p.getByRole('option', { name: /^Aigerim/ }).and(p.locator('[aria-selected=true]')).waitFor(); await p.keyboard.press('Enter'); await p.getByRole('group', { name: 'Crew' }).getByRole('button', { name: /^Remove/ }).waitFor(); await shot(p, 'types-4-crew') }, (v) => v?.join() === me)
    await edit('Where', async () => { await p.getByLabel('Street').fill('Abay 10'); await p.getByLabel('City').fill('Almaty'); await p.getByRole('group', { name: 'Where' }).getByLabel('Country').selectOption('KZ'); await axe(p, 'an address is written'); await shot(p, 'types-5-address') }, (v) => v?.city === 'Almaty' && v.country === 'KZ')
    for (const [label, choice, word] of [['Phase', 'waiting', 'Waiting'], ['Urgency', 'urgent', 'Urgent'], ['Kind', 'inside', 'Inside'], ['Mood', 'loud', 'Loud']]) await edit(label, async () => { await focused('select'); await p.locator('select:focus').selectOption({ label: word }) }, (v) => v === choice)
    await edit('Size', async () => { await p.getByRole('radio', { name: 'Small' }).check(); await p.keyboard.press('ArrowDown'); truth(await p.getByRole('radio', { name: 'Large' }).isChecked(), 'arrows choose') }, (v) => v === 'large')
    await edit('Ready', async () => { await focused('[role=switch]'); await p.keyboard.press('Space'); equal(await p.getByRole('switch').getAttribute('aria-checked'), 'true') }, (v) => v === true)
    await edit('Seen', async () => { await focused('[type=checkbox]'); await p.keyboard.press('Space') }, (v) => v === true)
    await edit('Notes', async () => { await focused('textarea'); await p.keyboard.type('# Rider\n\n**Water** <img src=x onerror=alert(1)>'); await p.getByRole('button', { name: 'Preview' }).click(); await p.locator('.rich strong', { hasText: 'Water' }).waitFor(); equal(await p.locator('.rich img').count(), 0, 'no markup') }, (v) => v?.startsWith('# Rider\n\n**Water**'))
    await edit('Sign', async () => { await p.getByRole('button', { name: 'Camera' }).click() }, (v) => v === 'camera')
    await edit('Done', async () => { await p.getByRole('slider', { name: 'Done' }).focus(); await p.keyboard.press('End'); for (let i = 0; i < 25; i++) await p.keyboard.press('ArrowLeft') }, (v) => Number(v) === 75)
    await edit('Code', async () => { await focused('input'); await p.keyboard.type('https://example.org/g/1') }, (v) => v === 'https://example.org/g/1')
    const png = Buffer.from('iVBORw0KGgoAAAANSUhEUgAAABAAAAAQCAIAAACQkWg2AAAAGUlEQVR4nGNgYPhPIiJVw6iGUQ2jGoaSBgAmYv4QfN4nSgAAAABJRU5ErkJggg==', 'base64')
    for (const label of ['Photos', 'Face']) {
      await edit(label, async () => {
        const chooser = await chooserOf(p, () => p.getByRole('button', { name: 'Choose file' }).click())
        await chooser.setFiles({ name: `${label}.png`, mimeType: 'image/png', buffer: png })
        await p.getByRole('button', { name: `Remove ${label}.png` }).waitFor()
      }, (v) => v?.length === 1)
    }
    equal((await row())['cf.ticket'], 2)
    truth(!(await p.getByRole('button', { name: 'Edit Ticket' }).count()), 'nobody writes a number')
    await p.getByText('G-0002').waitFor()
    await axe(p, 'a record with all of them')
    await shot(p, 'types-6-record')
    await p.getByRole('button', { name: /^Show the QR code/ }).click()
    await p.getByRole('dialog').getByRole('img', { name: /^QR code of/ }).waitFor()
    await shot(p, 'types-7-code')
    await p.keyboard.press('Escape')
  })

  await chain('the table shows them, finds by them and stands on them', async () => {
    const names = Object.keys(MADE).map((x) => `cf.${x.toLowerCase()}`)
    const of = (rule, more = '') => `${BASE}/o/custom-gigs?as=table&columns=${encodeURIComponent(JSON.stringify(['name', ...names]))}${rule ? `&filter=${encodeURIComponent(JSON.stringify({ operator: 'AND', rules: [rule] }))}` : ''}${more}`
    for (const rule of [
      { field: 'cf.starts', operator: 'greater_than', value: '20:00' }, { field: 'cf.runs', operator: 'greater_or_equal', value: '2026-11-01' }, { field: 'cf.crew', operator: 'has_any', value: [me] }, { field: 'cf.where', operator: 'is_not_empty' },
      { field: 'cf.ticket', operator: 'equals', value: 2 }, { field: 'cf.phase', operator: 'in', value: ['waiting'] }, { field: 'cf.ready', operator: 'is_true' }, { field: 'cf.done', operator: 'between', value: [70, 80] }, { field: 'cf.sign', operator: 'in', value: ['camera'] }, { field: 'cf.code', operator: 'starts_with', value: 'https' }, { field: 'cf.notes', operator: 'contains_ci', value: 'water' },
    ]) {
      await p.goto(of(rule))
      await p.locator(`.g-row[data-id="${id}"]`).waitFor()
      equal(await p.locator('.g-row[data-id]').count(), 1, rule.field)
    }
    await p.goto(of(null, '&sort=-cf.urgency'))
    await p.locator(`.g-row[data-id="${id}"]`).waitFor()
    await axe(p, 'a table of them')
    await shot(p, 'types-8-table')
    await p.goto(`${BASE}/o/custom-gigs?as=table&sort=name&columns=${encodeURIComponent(JSON.stringify(['name', ...names.slice(6)]))}`)
    await p.locator(`.g-row[data-id="${id}"]`).waitFor()
    await p.setViewportSize({ width: 2300, height: 500 })
    await p.locator('[role=progressbar]').waitFor()
    await axe(p, 'the rest of them')
    await shot(p, 'types-8-wide')
    await p.setViewportSize({ width: 1440, height: 900 })
    await p.goto(of(null, '&sort=-cf.urgency'))
    await p.locator(`.g-row[data-id="${id}"]`).waitFor()
    const link = p.locator(`.g-row[data-id="${id}"] a`, { hasText: 'Search' })
    equal(await link.getAttribute('href'), 'https://example.org/?q=Jazz%20%26%20more')
    truth((await link.getAttribute('rel')).includes('noopener'), 'the page that is opened knows nothing of this one')
    await p.locator(`.g-row[data-id="${id}"]`).getByRole('button', { name: 'Finish' }).click()
    await until('state', (v) => v === 'over')
    await p.goto(`${BASE}/o/custom-gigs?as=board&options=${encodeURIComponent(JSON.stringify({ lanes: 'cf.phase' }))}`)
    await p.getByText('Jazz & more').first().waitFor()
    for (const lane of ['Open', 'Waiting', 'Closed']) await p.getByText(lane, { exact: true }).first().waitFor()
    await axe(p, 'a board on a status')
    await shot(p, 'types-9-board')
    await p.goto(`${BASE}/o/custom-gigs?as=gallery`)
    await p.locator('img[src*="/files/"]').first().waitFor()
    await shot(p, 'types-10-gallery')
  })

  await chain('filters are made by keys, cells are changed in their place', async () => {
    const shown = encodeURIComponent(JSON.stringify(['name', 'cf.phase', 'cf.starts', 'cf.size', 'cf.done', 'cf.ready']))
    const filter = async (label, act) => {
      await p.goto(`${BASE}/o/custom-gigs?as=table&columns=${shown}`)
      await p.locator(`.g-row[data-id="${id}"]`).waitFor()
      await p.getByRole('button', { name: 'Filter', exact: true }).click()
      await p.getByRole('textbox', { name: 'Field…' }).fill(label)
      await p.keyboard.press('Enter')
      await act(p.getByRole('dialog'))
      await shot(p, `types-filter-${label.toLowerCase()}`)
      await p.keyboard.press('Escape')
      await p.getByText('1 record', { exact: true }).waitFor()
      await axe(p, `a filter by ${label}`)
    }
    await filter('Crew', async (d) => { await p.locator('[role=listbox] [role=option]').first().waitFor(); await p.keyboard.press('Enter'); await d.getByText('Aigerim').first().waitFor() })
    await filter('Runs', async (d) => { await d.locator('input[type=date]').fill('2026-11-01') })
    await filter('Urgency', async (d) => { await d.getByRole('checkbox', { name: 'Urgent' }).check() })
    await filter('Ticket', async (d) => { await d.getByRole('textbox').last().fill('2') })
    await p.goto(`${BASE}/o/custom-gigs?as=table&columns=${shown}`)
    const cell = (label) => p.locator(`.g-row[data-id="${id}"] [data-field="cf.${label.toLowerCase()}"]`)
    await cell('Phase').dblclick()
    await p.locator('.g-row select').selectOption({ label: 'Closed' })
    await until('cf.phase', (v) => v === 'closed')
    await cell('Size').dblclick()
    await p.locator('.g-row select').selectOption({ label: 'Small' })
    await until('cf.size', (v) => v === 'small')
    await cell('Starts').dblclick()
    await p.locator('.g-row input[type=time]').fill('20:30')
    await p.keyboard.press('Enter')
    await until('cf.starts', (v) => v === '20:30')
    await cell('Done').dblclick()
    await p.locator('.g-row input.num').fill('50')
    await p.keyboard.press('Enter')
    await until('cf.done', (v) => Number(v) === 50)
    await shot(p, 'types-11-cells')
  })

  await chain('they are seen in the dark and on a phone', async () => {
    const state = await p.context().storageState()
    for (const [name, how] of [['dark', { colorScheme: 'dark', viewport: { width: 1440, height: 900 } }], ['phone', { colorScheme: 'light', viewport: { width: 390, height: 844 } }]]) {
      const context = await browser.newContext({ ...how, storageState: state, locale: 'en-US', timezoneId: 'Asia/Almaty', serviceWorkers: 'block' })
      const q = await context.newPage()
      await q.goto(`${BASE}/o/custom-gigs/r/${id}`)
      await q.getByText('G-0002').first().waitFor()
      await axe(q, name)
      await shot(q, `types-${name}-record`)
      await q.goto(`${BASE}/o/custom-gigs`)
      await q.getByText('Jazz & more').first().waitFor()
      if (name === 'dark') await q.locator('[role=progressbar]').first().waitFor()
      await shot(q, `types-${name}-table`)
      await context.close()
    }
  })
  equal(p.problems.join('\n'), '')
  await p.context().close()
}
