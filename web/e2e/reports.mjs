// Reports: from a figure to its document and back, beside the year before, by keys, on paper, on a phone; rates out of a file.
import { readFileSync } from 'node:fs'
import { api, axe, BASE, chains, equal, fresh, newcomer, page, shot, truth } from './kit.mjs'

const MARCH = 'from=2026-03-01&to=2026-03-31'

/** What was sold and bought in two years, posted. */
async function business(p) {
  const customer = await api(p, 'POST', '/parties/parties', { name: 'Orbit Energy LLP', is_customer: true, is_supplier: true })
  const vat = (await api(p, 'GET', '/products/taxes')).data[0]
  const post = async (body) => {
    const made = await api(p, 'POST', '/finance/invoices', { party_id: customer.id, ...body })
    const done = await api(p, 'POST', `/finance/invoices/${made.id}/post`, {}, { 'If-Match': `"${made.version}"` })
    return done.number ?? (await api(p, 'GET', `/finance/invoices/${made.id}`)).number
  }
  const line = (name, price) => [{ name, price, ...(vat ? { tax_id: vat.id } : {}) }]
  await post({ issued_on: '2025-03-10', lines: line('Pallet rack', '40000') })
  const number = await post({ issued_on: '2026-03-10', lines: line('Pallet rack', '100000') })
  await post({ issued_on: '2026-03-12', direction: 'in', supplier_number: 'S-7', lines: line('Steel', '30000') })
  return number
}

export async function reports(browser) {
  const test = chains()
  const p = await page(browser)
  const table = p.getByRole('region').locator('table')
  const focused = () => p.evaluate(() => document.activeElement?.textContent ?? '')
  let number

  await test('reports are listed by module and found in the palette', async () => {
    await newcomer(p, fresh('books'), 'Books & Co')
    number = await business(p)
    await p.reload()
    await p.getByRole('navigation', { name: 'Main menu' }).getByRole('link', { name: 'Reports' }).click()
    await p.getByRole('link', { name: /^Profit and loss/ }).waitFor()
    await shot(p, 'reports')
    await axe(p, 'list of reports')
    await p.keyboard.press('Control+k')
    await p.getByRole('dialog').getByRole('combobox').fill('balance sh')
    await p.getByRole('option', { name: 'Balance sheet' }).click()
    await p.waitForURL(/\/reports\/ledger\/balance_sheet/)
    await table.getByText('Liabilities and equity').waitFor()
  })

  await test('a figure leads to its lines, the entry and the document, and back', async () => {
    await p.goto(`${BASE}/reports/ledger/profit_and_loss?${MARCH}`)
    const sales = table.getByRole('row').filter({ hasText: '6010' })
    equal(await sales.getByRole('cell').first().innerText().then((t) => t.replace(/\D/g, '').slice(0, 6)), '100000', 'sales of March')
    await axe(p, 'profit and loss')
    await shot(p, 'reports-profit')
    await sales.getByRole('link').last().click()
    await p.waitForURL(/general_ledger/)
    const line = table.getByRole('row').filter({ hasText: number })
    await line.waitFor()
    await axe(p, 'general ledger')
    await shot(p, 'reports-ledger')
    await line.getByRole('link', { name: number }).click()
    await p.waitForURL(/ledger-journal_entries\/r\//)
    await p.getByText('Revenue from goods and services').filter({ visible: true }).first().waitFor()
    await p.goBack()
    await line.getByRole('link', { name: 'Invoice' }).click()
    await p.waitForURL(/finance-invoices\/r\//)
    await p.getByRole('heading', { name: number }).waitFor()
    await p.goBack()
    await line.waitFor()
    await p.waitForFunction(() => document.activeElement?.closest('tr[data-key]'))
    await p.goBack()
    await p.waitForURL(/profit_and_loss/)
    await p.waitForFunction(() => document.activeElement?.closest('tr')?.textContent?.includes('6010'))
  })

  await test('arrows go from figure to figure, Enter follows one, Backspace comes back', async () => {
    const first = await focused()
    await p.keyboard.press('ArrowDown')
    truth((await focused()) !== first, 'the arrow goes on')
    await p.keyboard.press('Home')
    await p.keyboard.press('Enter')
    await p.waitForURL(/general_ledger/)
    await table.waitFor()
    await p.keyboard.press('Backspace')
    await p.waitForURL(/profit_and_loss/)
    await table.waitFor()
  })

  await test('a span stands beside the year before, and groups fold', async () => {
    await p.getByLabel('Compare with').selectOption('year')
    const sales = table.getByRole('row').filter({ hasText: '6010' })
    await sales.getByText('+150%').waitFor()
    await axe(p, 'compared')
    await shot(p, 'reports-compared')
    await p.getByRole('button', { name: 'Hide what is under Revenue' }).click()
    await sales.waitFor({ state: 'hidden' })
    await p.reload()
    await p.getByRole('button', { name: 'Show what is under Revenue' }).waitFor()
    equal(await sales.isVisible(), false, 'the address knows what is folded')
    await p.getByRole('button', { name: 'Show what is under Revenue' }).click()
    await sales.waitFor()
  })

  await test('the tax report tells each rate and its documents', async () => {
    await p.goto(`${BASE}/reports/ledger/tax_report?${MARCH}`)
    await table.getByText('To be paid').waitFor()
    await table.getByRole('row').filter({ hasText: '16%' }).first().getByRole('link').first().click()
    await p.waitForURL(/tax_entries/)
    await table.getByText(number).waitFor()
    await p.goBack()
    await table.getByText('To be paid').waitFor()
  })

  await test('files and paper say the same', async () => {
    await p.goto(`${BASE}/reports/ledger/profit_and_loss?${MARCH}`)
    await table.waitFor()
    await p.getByRole('button', { name: 'Export' }).click()
    const [file] = await Promise.all([p.waitForEvent('download'), p.getByRole('menuitem', { name: 'CSV' }).click()])
    truth(readFileSync(await file.path(), 'utf8').includes('Revenue,100000'), 'the file has the figures')
    await p.emulateMedia({ media: 'print' })
    equal(await p.getByRole('group', { name: 'What the report is about' }).isVisible(), false, 'no parameters on paper')
    truth(await p.locator('.print-top b').innerText().then((t) => t.includes('Profit and loss') && t.includes('2026')), 'paper says what it is and of when')
    await shot(p, 'reports-print')
    await p.emulateMedia({ media: 'screen' })
  })

  await test('what is empty teaches, what is wrong is told', async () => {
    await p.goto(`${BASE}/reports/ledger/general_ledger`)
    await p.getByText('Choose: Account').waitFor()
    await p.goto(`${BASE}/reports/ledger/profit_and_loss?from=2001-01-01&to=2001-12-31`)
    await p.getByText('Nothing happened here').waitFor()
    await axe(p, 'empty report')
    await p.goto(`${BASE}/reports/ledger/nothing`)
    await p.getByText('There is no such report').waitFor()
  })

  await test('rates come out of a file, and settings tell how old they are', async () => {
    await p.goto(`${BASE}/o/ledger-exchange_rates/import`)
    const today = new Date().toISOString().slice(0, 10)
    await p.locator('input[type=file]').setInputFiles({ name: 'rates.csv', mimeType: 'text/csv', buffer: Buffer.from(`date,USD,KZT\n${today},1.25,600\n`) })
    await p.getByText('2 rates read, 2 of them new.').waitFor()
    await axe(p, 'import of rates')
    await p.locator('input[type=file]').setInputFiles({ name: 'rates.csv', mimeType: 'text/csv', buffer: Buffer.from('day,USD\n2026-01-01,1\n') })
    await p.getByText('The file needs a column called date.').waitFor()
    await p.goto(`${BASE}/settings/currencies`)
    await p.getByRole('row').filter({ hasText: 'USD' }).getByText('480').waitFor()
    await p.getByRole('row').filter({ hasText: 'VAT' }).getByText('16%').waitFor()
    await axe(p, 'currencies and taxes')
    await shot(p, 'reports-currencies')
  })
  equal(p.problems.join('\n'), '', 'nothing broke')
  const cookies = await p.context().storageState()
  await p.context().close()

  await test('on a phone, in the dark, rows are cards with room for a thumb', async () => {
    for (const [theme, width, name] of [['dark', 390, 'reports-phone'], ['dark', 1440, 'reports-dark']]) {
      const q = await page(browser, { theme, width, height: width < 500 ? 844 : 900, touch: width < 500 })
      await q.context().addCookies(cookies.cookies)
      await q.goto(`${BASE}/reports/ledger/profit_and_loss?${MARCH}&compare=year`)
      await q.getByText('6010').first().waitFor()
      await q.getByText('+150%').first().waitFor()
      await axe(q, `${theme} at ${width}`)
      await shot(q, name)
      if (width < 500) {
        const small = await q.locator('.r-table a').evaluateAll((all) => all.filter((a) => a.offsetParent).map((a) => a.getBoundingClientRect()).filter((b) => b.height < 44).length)
        equal(small, 0, 'targets are 44 px high')
        equal(await q.evaluate(() => document.documentElement.scrollWidth > innerWidth), false, 'nothing hangs over')
      }
      equal(q.problems.join('\n'), '', 'nothing broke')
      await q.context().close()
    }
  })
}
