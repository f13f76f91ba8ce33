// A budget is made, spread over its months and put into force; an expense is warned of and stopped by it; its variance is read down to the entries.
import { colleague } from './approvals.mjs'
import { api, axe, BASE, chains, equal, fresh, newcomer, page, pick, shot, truth } from './kit.mjs'

export async function budgets(browser) {
  const test = chains()
  const owner = await page(browser)
  await newcomer(owner, fresh('owner'), 'Frugal Works')
  const anna = await colleague(browser, owner, 'accountant')
  const eva = await colleague(browser, owner, 'employee')
  const year = new Date().getFullYear()
  const category = (await api(owner, 'GET', '/expenses/expense_categories?code=OFFICE')).data[0]
  // The books begin with where the money is.
  await api(owner, 'POST', '/banking/bank_accounts', { name: 'Main account' })
  const account = (await api(owner, 'GET', '/ledger/ledger_accounts?name=Administrative%20expenses')).data[0]
  await api(owner, 'PATCH', `/expenses/expense_categories/${category.id}`, { account_id: account.id }, { 'If-Match': `"${category.version}"` })
  const act = (p, name) => p.getByRole('group', { name: 'Actions' }).first().getByRole('button', { name, exact: true }).click()
  const status = (p, text) => p.locator(':is(h1,h2) + span .chip', { hasText: text }).first().waitFor()
  const spend = async (title, amount) => {
    const { id } = await api(eva, 'POST', '/expenses/expense_reports', { title, expense_lines: [{ category_id: category.id, amount, description: title }] })
    await eva.goto(`${BASE}/o/expenses-expense_reports/r/${id}`)
    await act(eva, 'Hand in')
    await status(eva, 'Handed in')
    await owner.goto(`${BASE}/o/expenses-expense_reports/r/${id}`)
    await act(owner, 'Approve')
  }
  let id = ''

  await test('a budget is spread over its months, exactly', async () => {
    await anna.bringToFront()
    await anna.goto(`${BASE}/o/budgets-budgets?new=true`)
    const box = anna.getByRole('dialog')
    await box.getByLabel(/^Name/).first().fill(`Office ${year}`)
    await box.getByRole('button', { name: 'More fields' }).click()
    await box.getByLabel(/requisition/i).selectOption({ label: 'Warn' })
    await box.getByLabel(/actual/i).selectOption({ label: 'Stop it' })
    await box.getByRole('button', { name: 'Add line' }).click()
    await pick(anna, 'Account, line 1', account.name, box)
    await box.getByLabel('Amount, line 1').fill('10000')
    await shot(anna, 'budgets-1-form')
    await box.getByRole('button', { name: 'Create' }).click()
    await anna.waitForURL(/rec=/)
    id = new URL(anna.url()).searchParams.get('rec').replaceAll('"', '')
    const { lines: [line] } = await api(anna, 'GET', `/budgets/budgets/${id}?expand=lines`)
    const months = Array.from({ length: 12 }, (_, n) => Math.round(Number(line[`month_${n + 1}`]) * 100))
    equal(months.reduce((a, b) => a + b, 0), 1_000_000)
    truth(Math.max(...months) - Math.min(...months) === 1, `spread: ${months}`)
  })

  await test('another approves it and puts it into force', async () => {
    await owner.goto(`${BASE}/o/budgets-budgets/r/${id}`)
    await act(owner, 'Approve')
    await status(owner, 'Approved')
    await act(owner, 'Put into force')
    await status(owner, 'Active')
    await axe(owner, 'a budget')
    await shot(owner, 'budgets-2-active')
  })

  await test('what fits is spent; what goes beyond is warned of, then stopped', async () => {
    await spend('Paper', '4000')
    await status(owner, 'Approved')
    await spend('Chairs', '7000')
    await owner.getByText(`The budget Office ${year} has 6000 left for this, and 7000 is asked for.`).first().waitFor()
    await shot(owner, 'budgets-3-stopped')
    await eva.reload()
    await eva.getByText(`Office ${year}`).first().waitFor()
    equal((await api(eva, 'GET', '/expenses/expense_reports?title=Chairs')).data[0].status, 'submitted')
  })

  await test('the variance leads from a figure to its entries and back, and by month', async () => {
    await owner.goto(`${BASE}/reports`)
    await owner.getByRole('link', { name: /Budget variance/ }).click()
    await pick(owner, /Budget/, `Office ${year}`)
    const row = owner.getByRole('row', { name: new RegExp(account.name) })
    await row.waitFor()
    const figures = (await row.innerText()).replace(/[^\d.,%\s-]/g, '').replace(/,/g, '')
    for (const figure of ['10000.00', '7000.00', '4000.00', '-1000.00', '6000.00']) truth(figures.includes(figure), `${figure} in ${figures}`)
    await row.getByText('Over').waitFor()
    await axe(owner, 'the variance')
    await shot(owner, 'budgets-4-variance')
    await row.getByRole('link', { name: /4,000/ }).click()
    await owner.getByRole('gridcell', { name: /4,000/ }).first().waitFor()
    await shot(owner, 'budgets-5-entries')
    await owner.goBack()
    await row.waitFor()
    await owner.getByLabel('Shown').selectOption({ label: 'By month' })
    await owner.getByRole('row', { name: new RegExp(`${year}-12`) }).waitFor()
    equal(await owner.getByRole('row').count(), 14)
    await shot(owner, 'budgets-6-months')
  })

  for (const p of [owner, anna, eva]) { equal(p.problems.join(), '', 'problems on the pages'); await p.context().close() }
}
