// What waits for others: a rule, an expense report that is handed in, a queue worked through by keys, the thumb on a phone.
import { api, axe, BASE, chains, equal, page, shot, signIn, truth, newcomer, fresh, PASSWORD, letter } from './kit.mjs'

/** A colleague who has accepted. */
export async function colleague(browser, owner, role, options = {}) {
  const email = fresh(role)
  const at = Date.now()
  await api(owner, 'POST', '/members/invite', { email, roles: [role] })
  const code = /accept\?code=(\S+)/.exec(await letter(email, at))[1]
  const p = await page(browser, options)
  await p.goto(`${BASE}/login`)
  await api(p, 'POST', '/invitations/accept', { code, password: PASSWORD, first_name: role[0].toUpperCase() + role.slice(1), last_name: 'Stone' })
  await signIn(p, email)
  return p
}

export async function approvals(browser) {
  const test = chains()
  const owner = await page(browser)
  await newcomer(owner, fresh('owner'), 'Waiting Works')
  const eva = await colleague(browser, owner, 'employee')
  const max = await colleague(browser, owner, 'manager')

  await test('an administrator says what waits, and for whom', async () => {
    await owner.goto(`${BASE}/settings/approvals`)
    await owner.getByText('Nothing needs approval yet').waitFor()
    await owner.getByRole('button', { name: 'New rule' }).click()
    const box = owner.getByRole('dialog')
    await box.getByLabel('Name *', { exact: true }).fill('Expense reports')
    await box.getByLabel('Records').selectOption('expenses.expense_reports')
    await box.getByLabel('Action that waits').selectOption('approve')
    await box.getByLabel('Roles').selectOption('manager')
    await box.getByLabel('When rejected').selectOption('deny')
    await box.getByLabel('When returned').selectOption('send_back')
    await axe(owner, 'the rule')
    await box.getByRole('button', { name: 'Save' }).click()
    await owner.getByText('Approve · Expense report').waitFor()
    await axe(owner, 'the rules')
  })

  await test('a report that is handed in waits, and its page says for whom', async () => {
    const category = (await api(eva, 'GET', '/expenses/expense_categories?code=OFFICE')).data[0]
    for (const title of ['Paper', 'Lamp', 'Chair']) await api(eva, 'POST', '/expenses/expense_reports', { title, expense_lines: [{ category_id: category.id, amount: '4500', description: title }] })
    await eva.goto(`${BASE}/o/expenses-expense_reports`)
    for (const title of ['Paper', 'Lamp', 'Chair']) {
      const { id } = (await api(eva, 'GET', `/expenses/expense_reports?title=${title}`)).data[0]
      await eva.goto(`${BASE}/o/expenses-expense_reports/r/${id}`)
      await eva.getByRole('button', { name: 'Hand in' }).click()
      await eva.getByRole('region', { name: 'Approvals' }).getByText('Manager Stone').waitFor()
    }
    await axe(eva, 'a report that waits')
    await shot(eva, 'expense-waits')
  })

  await test('the queue is worked through by keys alone', async () => {
    await max.goto(`${BASE}/approvals`)
    const list = max.getByRole('list', { name: 'To decide' })
    await list.getByText('Chair').first().waitFor()
    equal(await list.getByRole('listitem').count(), 3)
    await axe(max, 'the queue')
    await shot(max, 'approvals')
    await max.keyboard.press('j')
    await max.keyboard.press('a')
    await max.getByRole('dialog').getByRole('button', { name: 'Approve' }).waitFor()
    await max.keyboard.press('Control+Enter')
    await max.getByText('Approved').first().waitFor()
    await max.waitForFunction(() => document.querySelectorAll('[aria-label="To decide"] li').length === 2)
    await max.keyboard.press('r')
    await max.getByRole('dialog').getByRole('button', { name: /^Reject/ }).waitFor()
    await max.keyboard.press('Control+Enter')
    await max.getByText('Say why.').waitFor()
    await max.getByRole('dialog').getByLabel('Why, or what').fill('We have chairs')
    await max.keyboard.press('Control+Enter')
    await max.waitForFunction(() => document.querySelectorAll('[aria-label="To decide"] li').length === 1)
    const states = (await api(eva, 'GET', '/expenses/expense_reports')).data.map((r) => r.status).sort()
    equal(states.join(), 'approved,denied,submitted')
  })

  await test('on a phone one thumb decides, and the history tells both', async () => {
    const phone = await page(browser, { width: 390, height: 800, touch: true, theme: 'dark' })
    await phone.context().addCookies(await max.context().cookies())
    await phone.goto(`${BASE}/approvals`)
    await phone.getByRole('list', { name: 'To decide' }).getByRole('link').first().click()
    const approve = phone.getByRole('button', { name: 'Approve' })
    await approve.waitFor()
    await axe(phone, 'a request on a phone')
    const spot = await approve.boundingBox()
    truth(spot.height >= 44 && spot.y > 600, `under the thumb: ${JSON.stringify(spot)}`)
    await shot(phone, 'approval-phone')
    await approve.click()
    await phone.getByRole('dialog').getByLabel('Comment').fill('fine')
    await phone.getByRole('dialog').getByRole('button', { name: 'Approve' }).click()
    await phone.getByText('Nothing waits for you').waitFor()
    await phone.context().close()
    await eva.goto(`${BASE}/approvals?of=requested`)
    await eva.getByRole('list', { name: 'Asked by me' }).getByRole('listitem').nth(2).waitFor()
    equal(await eva.getByRole('list', { name: 'Asked by me' }).getByRole('listitem').count(), 3)
    await eva.getByRole('list', { name: 'Asked by me' }).getByRole('link').filter({ hasText: 'Rejected' }).click()
    await eva.getByRole('complementary', { name: 'The request' }).getByText('We have chairs').waitFor()
  })

  await test('whoever is away names who decides', async () => {
    await max.goto(`${BASE}/settings/absence`)
    await max.getByRole('button', { name: 'New absence' }).click()
    await max.getByRole('dialog').getByLabel('Who decides').selectOption({ index: 1 })
    await max.getByRole('dialog').getByLabel('To *', { exact: true }).fill('2099-01-01')
    await axe(max, 'an absence')
    await max.getByRole('dialog').getByRole('button', { name: 'Save' }).click()
    await max.getByRole('button', { name: 'End' }).click()
    await max.getByText('Nobody is away').waitFor()
  })

  await test('two rules branch by the amount: a small sum passes one, a large one two', async () => {
    await owner.goto(`${BASE}/settings/approvals`)
    await owner.getByRole('button', { name: /Expense reports/ }).first().click()
    const box = owner.getByRole('dialog')
    const asks = async (operator) => {
      await box.getByRole('button', { name: 'Condition', exact: true }).click()
      await box.getByLabel('Field', { exact: true }).selectOption({ label: 'Total' })
      await box.getByLabel('Condition', { exact: true }).selectOption(operator)
      await box.getByRole('textbox', { name: 'Total' }).fill('50000')
    }
    await asks('less_than')
    await box.getByRole('button', { name: 'Save' }).click()
    await box.waitFor({ state: 'detached' })
    await owner.getByRole('button', { name: 'New rule' }).click()
    await box.getByLabel('Name *', { exact: true }).fill('Large expenses')
    await box.getByLabel('Records').selectOption('expenses.expense_reports')
    await box.getByLabel('Action that waits').selectOption('approve')
    await asks('greater_or_equal')
    await box.getByLabel('Roles').first().selectOption('manager')
    await box.getByRole('button', { name: 'Add a level' }).click()
    const second = box.getByRole('group', { name: 'Level 2' })
    await second.getByLabel('Roles').selectOption('accountant')
    await second.getByLabel(/^When overdue, also ask these people/).selectOption({ label: 'Aigerim Sadykova' })
    await axe(owner, 'a rule of two levels')
    await shot(owner, 'approval-rule')
    await box.getByRole('button', { name: 'Save' }).click()
    await box.waitFor({ state: 'detached' })
    await owner.getByRole('button', { name: /^Large expenses/ }).waitFor()
    await shot(owner, 'approval-rules')
  })

  await test('the right people decide, and a deputy where one is away', async () => {
    const ann = await colleague(browser, owner, 'accountant')
    // Max is away: the salesperson Sam decides in his place.
    const sam = await colleague(browser, owner, 'salesperson')
    await max.goto(`${BASE}/settings/absence`)
    await max.getByRole('button', { name: 'New absence' }).click()
    await max.getByRole('dialog').getByLabel('Who decides').selectOption({ label: 'Salesperson Stone' })
    await max.getByRole('dialog').getByLabel('To *', { exact: true }).fill('2099-01-01')
    await max.getByRole('dialog').getByRole('button', { name: 'Save' }).click()
    await max.getByRole('button', { name: 'End' }).waitFor()
    const category = (await api(eva, 'GET', '/expenses/expense_categories?code=OFFICE')).data[0]
    for (const [title, amount] of [['Pens', '1000'], ['Server room', '90000']]) {
      const { id } = await api(eva, 'POST', '/expenses/expense_reports', { title, expense_lines: [{ category_id: category.id, amount, description: title }] })
      await eva.goto(`${BASE}/o/expenses-expense_reports/r/${id}`)
      await eva.getByRole('button', { name: 'Hand in' }).click()
      await eva.getByRole('region', { name: 'Approvals' }).getByText('Manager Stone').waitFor()
    }
    const decide = async (p, title) => {
      await p.goto(`${BASE}/approvals`)
      await p.getByRole('list', { name: 'To decide' }).getByRole('link', { name: new RegExp(title) }).click()
      await p.getByRole('button', { name: 'Approve', exact: true }).click()
      await p.getByRole('dialog').getByRole('button', { name: 'Approve', exact: true }).click()
      await p.getByRole('dialog').waitFor({ state: 'detached' })
    }
    const state = async (title) => (await api(eva, 'GET', `/expenses/expense_reports?title=${encodeURIComponent(title)}`)).data[0].status
    await decide(sam, 'Pens')
    await shot(sam, 'approval-deputy')
    equal(await state('Pens'), 'approved', 'small: one level')
    await decide(sam, 'Server room')
    equal(await state('Server room'), 'submitted', 'large: one of two')
    await sam.goto(`${BASE}/approvals`)
    await sam.getByText('Nothing waits for you').waitFor()
    await decide(ann, 'Server room')
    equal(await state('Server room'), 'approved', 'large: two of two')
    for (const p of [ann, sam]) { equal(p.problems.join(), '', 'problems on the pages'); await p.context().close() }
  })

  for (const p of [owner, eva, max]) { equal(p.problems.join(), '', 'problems on the pages'); await p.context().close() }
}
