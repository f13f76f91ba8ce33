// Fields that lead to other records, and fields that follow from others: made in settings, filled, read, asked.
import { api, axe, BASE, chains, equal, fresh, newcomer, page, shot, signIn, truth } from './kit.mjs'

export async function computed(browser) {
  const chain = chains()
  const p = await page(browser)
  const email = fresh('computer')
  await newcomer(p, email, 'House of Figures')
  const ids = {}
  const add = async (entity, name, type, more) => {
    if (!p.url().includes(`settings/fields?entity=${entity}`)) await p.goto(`${BASE}/settings/fields?entity=${entity}`)
    await p.getByRole('button', { name: 'New field' }).click()
    const d = p.getByRole('dialog')
    await d.getByLabel('Name').first().fill(name)
    await d.getByLabel('Type').selectOption(type)
    await more?.(d)
    await d.getByRole('button', { name: 'Create' }).click()
    await d.waitFor({ state: 'detached' })
    await p.getByRole('cell', { name, exact: true }).waitFor()
  }

  await chain('two tables, and a field that leads from one to the other', async () => {
    await api(p, 'POST', '/tables', { name: 'venues', title: 'Venues', singular: 'Venue' })
    await api(p, 'POST', '/tables', { name: 'bookings', title: 'Bookings', singular: 'Booking' })
    await p.reload()
    await add('custom.venues', 'Seats', 'integer')
    await add('custom.bookings', 'Price', 'money')
    await add('custom.bookings', 'Day', 'date')
    await add('custom.bookings', 'Venue', 'relation', async (d) => {
      await d.getByLabel('Leads to').selectOption('custom.venues')
      await d.getByLabel('When that is deleted').selectOption('restrict')
      await axe(p, 'a relation')
      await shot(p, 'computed-1-relation')
    })
    for (const [name, seats] of [['Great hall', 200], ['Attic', 30], ['Garden', null]]) ids[name] = (await api(p, 'POST', '/custom/venues', { name, 'cf.seats': seats })).id
    for (const [name, venue, price] of [['Ball', 'Great hall', 1100], ['Concert', 'Great hall', 900], ['Tea', 'Attic', 60], ['Picnic', 'Garden', 10]]) ids[name] = (await api(p, 'POST', '/custom/bookings', { name, 'cf.venue': ids[venue], 'cf.price': price, 'cf.day': '2026-05-01' })).id
  })

  await chain('what is looked up, rolled up, counted and calculated', async () => {
    await add('custom.bookings', 'Seats there', 'lookup', async (d) => {
      await d.getByLabel('What to show').selectOption('cf.venue')
      await d.getByLabel('Of Venue').selectOption('cf.seats')
      await axe(p, 'a lookup')
      await shot(p, 'computed-2-lookup')
    })
    await add('custom.bookings', 'For each', 'formula', async (d) => {
      const box = d.getByRole('textbox', { name: 'Formula' })
      await box.fill('round(cf.price / cf.seats, 2)')
      await d.getByText('There is no field cf.seats.').waitFor()
      await shot(p, 'computed-3-mistake')
      await box.fill('round(cf.price / ')
      await d.getByLabel('Insert a field…').selectOption({ label: 'Seats there' })
      await box.press('End')
      await box.pressSequentially(', 2)')
      await d.getByLabel('Shown as').selectOption('money')
      await d.getByText('What comes out: Money').waitFor()
      await axe(p, 'a formula')
      await shot(p, 'computed-4-formula')
    })
    await add('custom.venues', 'Earned', 'rollup', async (d) => {
      await d.getByLabel('Of which records').selectOption({ label: 'Bookings' })
      await d.getByLabel('Of which field').selectOption('cf.price')
      await axe(p, 'a rollup')
      await shot(p, 'computed-5-rollup')
    })
    await add('custom.venues', 'Dear ones', 'count', async (d) => {
      await d.getByLabel('Of which records').selectOption({ label: 'Bookings' })
      await d.getByLabel('Which of them').selectOption('when')
      await d.getByLabel('Field', { exact: true }).selectOption('cf.price')
      await d.getByLabel('Condition', { exact: true }).selectOption('greater_than')
      await d.locator('input').last().fill('500')
      await shot(p, 'computed-6-count')
    })
    await add('custom.venues', 'Made by', 'createdby')
    const hall = await api(p, 'GET', `/custom/venues/${ids['Great hall']}`)
    equal([hall['cf.earned'], hall['cf.dear_ones'], hall['cf.made_by'] === hall.created_by].join(), '2000.00,2,true')
    equal((await api(p, 'GET', `/custom/bookings/${ids.Ball}`))['cf.for_each'], '5.50')
    equal((await api(p, 'GET', `/custom/bookings/${ids.Picnic}`))['cf.for_each'], null, 'by nothing nothing is divided')
  })

  await chain('a table shows names with one question, and finds by them', async () => {
    const columns = (...names) => encodeURIComponent(JSON.stringify(names))
    const asked = []
    const ask = (r) => { if (r.method() === 'GET' && /\/custom\/venues\/[0-9a-f-]{36}/.test(r.url())) asked.push(r.url()) }
    p.on('request', ask)
    const at = `${BASE}/o/custom-bookings?as=table&columns=${columns('name', 'cf.venue', 'cf.price', 'cf.seats_there', 'cf.for_each')}`
    await p.goto(`${at}&sort=cf.venue`)
    await p.locator('.g-row', { hasText: 'Picnic' }).waitFor()
    equal((await p.locator('.g-row[data-id]').allInnerTexts()).map((r) => ['Attic', 'Garden', 'Great hall'].find((v) => r.includes(v))).join(), 'Attic,Garden,Great hall,Great hall', 'by name')
    await axe(p, 'the table')
    await shot(p, 'computed-7-table')
    equal(asked.length, 0, asked.join())
    p.off('request', ask)
    for (const [filter, found] of [
      [{ field: 'cf.venue', operator: 'in', value: [ids['Great hall']] }, 2], [{ field: 'cf.venue_record.cf.seats', operator: 'less_than', value: 100 }, 1],
      [{ field: 'cf.for_each', operator: 'greater_than', value: 4.7 }, 1], [{ field: 'cf.seats_there', operator: 'is_empty' }, 1],
    ]) {
      await p.goto(`${at}&filter=${encodeURIComponent(JSON.stringify({ operator: 'AND', rules: [filter] }))}`)
      await p.locator('.g-row[data-id]').first().waitFor()
      equal(await p.locator('.g-row[data-id]').count(), found, filter.field)
    }
    await p.goto(`${at}&group=${columns('cf.venue')}`)
    await p.getByText('Great hall').first().waitFor()
    await shot(p, 'computed-8-groups')
  })

  await chain('a record: its relation is chosen by name, what follows from it comes with it', async () => {
    await p.goto(`${BASE}/o/custom-bookings/r/${ids.Picnic}`)
    await p.getByRole('link', { name: 'Garden' }).first().waitFor()
    await p.getByRole('button', { name: 'Edit Venue', exact: true }).click()
    await p.getByRole('combobox', { name: 'Venue' }).fill('Att')
    await p.getByRole('option', { name: 'Attic' }).click()
    await p.keyboard.press('ControlOrMeta+Enter')
    await p.getByRole('link', { name: 'Attic' }).first().waitFor()
    for (let i = 0; i < 40 && (await api(p, 'GET', `/custom/bookings/${ids.Picnic}`))['cf.for_each'] !== '0.33'; i++) await p.waitForTimeout(100)
    await p.getByText('0.33').first().waitFor()
    await axe(p, 'the record')
    await shot(p, 'computed-9-record')
    await p.goto(`${BASE}/o/custom-venues/r/${ids.Attic}`)
    await p.getByRole('tab', { name: 'Related' }).click()
    await p.getByRole('link', { name: 'Picnic' }).waitFor()
    await shot(p, 'computed-10-related')
    let refused = ''
    await api(p, 'DELETE', `/custom/venues/${ids.Attic}`).catch((e) => { refused = e.message })
    truth(refused.includes('This is in use by Venue: 2 bookings.'), refused)
  })

  await chain('in the dark, and on a phone', async () => {
    for (const [name, how] of [['dark', { theme: 'dark' }], ['phone', { width: 390, height: 844, touch: true }]]) {
      const q = await page(browser, how)
      await signIn(q, email)
      await q.goto(`${BASE}/o/custom-venues?as=table&columns=${encodeURIComponent(JSON.stringify(['name', 'cf.earned', 'cf.dear_ones', 'cf.made_by']))}`)
      await q.getByText('Great hall').first().waitFor()
      await shot(q, `computed-11-${name}`)
      await q.goto(`${BASE}/settings/fields?entity=custom.bookings`)
      await q.getByRole('button', { name: 'Edit For each' }).click()
      await q.getByText('What comes out: Money').waitFor()
      await axe(q, `the formula, ${name}`)
      await shot(q, `computed-12-${name}`)
      equal(q.problems.join('\n'), '')
      await q.context().close()
    }
  })
  equal(p.problems.filter((x) => !x.includes('_try')).join('\n'), '')
  await p.context().close()
}
