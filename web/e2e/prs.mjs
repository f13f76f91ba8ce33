// A sales team's day in the browser: a deal, its payment with the receipt, rejected, submitted again, verified out of the queue by one key, the
// receipt, the commission followed step by step, the payout. The company is made here, its people come by letters of invitation.
import { api, axe, BASE, chains, equal, fresh, letter, newcomer, page, PASSWORD, pick, shot, truth } from './kit.mjs'

const RECEIPT = Buffer.from('iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8/5+hHgAHggJ/PchI7wAAAABJRU5ErkJggg==', 'base64')

export async function prs(browser) {
  const chain = chains()
  const owner = fresh('prs')
  const p = await page(browser)
  const people = {}
  const colleague = async (role) => {
    const email = fresh(role)
    const came = Date.now()
    await api(p, 'POST', '/members/invite', { email, roles: [role] })
    const invited = (await letter(email, came)).match(/https?:\/\/\S+/)[0]
    const theirs = await page(browser)
    await theirs.goto(BASE)
    await api(theirs, 'POST', '/invitations/accept', { code: new URL(invited).searchParams.get('code'), password: PASSWORD, first_name: role, last_name: 'Test' })
    people[role] = theirs
    return theirs
  }
  const act = async (who, name) => who.getByRole('group', { name: 'Actions' }).first().getByRole('button', { name, exact: true }).click()
  let deal = ''
  let payment = ''

  await chain('a company whose payments are verified by a second person', async () => {
    await newcomer(p, owner, 'Hudson Sales')
    for (const [key, value] of [['crm.pipeline', 'direct'], ['finance.payments_need_verification', true]]) await api(p, 'PUT', `/settings/${key}`, { scope: 'organization', value })
    const policy = await api(p, 'POST', '/commissions/commission_policies', { code: 'STD', name: 'Standard', method: 'marginal', tiers: [{ from_amount: '0', rate: '5' }, { from_amount: '1000', rate: '7' }] })
    await api(p, 'POST', `/commissions/commission_policies/${policy.id}/activate`, {})
    for (const role of ['salesperson', 'verifier', 'manager', 'accountant']) await colleague(role)
    await api(people.salesperson, 'POST', '/parties/parties', { name: 'Nimbus Analytics', is_customer: true })
    await api(p, 'POST', '/views', { entity: 'finance.payments', name: 'To be verified', kind: 'review', visibility: 'shared', default_for: ['verifier'], state: { filter: { operator: 'AND', rules: [{ field: 'status', operator: 'equals', value: 'submitted' }] } } })
  })

  await chain('the salesperson books a deal and enters its payment', async () => {
    const s = people.salesperson
    await s.goto(`${BASE}/o/crm-deals?new=true`)
    const dialog = s.getByRole('dialog')
    await pick(s, /^Customer/, 'Nimbus Analytics', dialog)
    await dialog.getByLabel('Value', { exact: true }).fill('2000')
    await dialog.getByRole('button', { name: 'Create' }).click()
    await s.waitForURL(/rec=/)
    deal = new URL(s.url()).searchParams.get('rec').replaceAll('"', '')
    equal((await api(s, 'GET', `/crm/deals/${deal}`)).number, 'DLID0001', 'the number')
    await s.goto(`${BASE}/o/crm-deals/r/${deal}`)
    await act(s, 'Enter payment')
    await s.getByRole('dialog').getByRole('button', { name: 'Enter payment' }).click()
    await s.getByRole('dialog').waitFor({ state: 'detached' })
    const made = (await api(s, 'GET', '/finance/payments')).data
    equal(made.length, 1, 'payments')
    payment = made[0].id
    equal(made[0].status, 'pending', 'it waits')
  })

  await chain('without its receipt it is not submitted; with it, it is', async () => {
    const s = people.salesperson
    await s.goto(`${BASE}/o/finance-payments/r/${payment}?tab=files`)
    await act(s, 'Submit')
    await s.getByText('Attach the receipt first.').waitFor()
    await s.locator('input[type=file]').setInputFiles({ name: 'receipt.png', mimeType: 'image/png', buffer: RECEIPT })
    await s.getByText('receipt.png').first().waitFor()
    await act(s, 'Submit')
    await s.locator('.chip', { hasText: 'To be verified' }).first().waitFor()
    await shot(s, 'prs-1-submitted')
  })

  await chain('the verifier rejects it out of the queue, by one key and a reason', async () => {
    const v = people.verifier
    await v.goto(`${BASE}/o/finance-payments`)
    await v.getByRole('img', { name: 'receipt.png' }).waitFor()
    await shot(v, 'prs-2-queue')
    await axe(v, 'the queue')
    await v.getByRole('group', { name: 'Review: Payments' }).focus()
    await v.keyboard.press('3')
    const dialog = v.getByRole('dialog')
    await dialog.getByLabel('Reason', { exact: false }).fill('Unreadable')
    await dialog.getByRole('button', { name: 'Reject' }).click()
    await v.getByText('Nothing waits here').waitFor()
    equal((await api(v, 'GET', `/finance/payments/${payment}`)).decision, 'Unreadable', 'the reason')
  })

  await chain('it comes back to the salesperson, who submits it again', async () => {
    const s = people.salesperson
    await s.goto(`${BASE}/o/finance-payments/r/${payment}`)
    await s.getByText('Unreadable').first().waitFor()
    await act(s, 'Submit')
    await s.locator('.chip', { hasText: 'To be verified' }).first().waitFor()
  })

  await chain('verified on a phone: receipt, deal, commission and streak follow', async () => {
    const cookies = await people.verifier.context().cookies()
    const v = await page(browser, { width: 390, height: 844, touch: true })
    await v.context().addCookies(cookies)
    await v.goto(`${BASE}/o/finance-payments`)
    await v.getByRole('img', { name: 'receipt.png' }).waitFor()
    const button = v.getByRole('button', { name: 'Verify', exact: true })
    await button.scrollIntoViewIfNeeded()
    truth((await button.boundingBox()).height >= 44, 'a thumb hits it')
    await shot(v, 'prs-3-phone')
    await axe(v, 'the queue on a phone')
    await button.click()
    await v.getByText('Nothing waits here').waitFor()
    const s = people.salesperson
    const now = await api(s, 'GET', `/crm/deals/${deal}`)
    equal([now.payment_status, now.verification_status].join(), 'paid,verified', 'the deal')
    const receipts = (await api(s, 'GET', '/finance/invoices?kind=RECEIPT')).data
    equal(receipts.map((r) => r.number).join(), 'RC-00001', 'the receipt')
    equal((await api(s, 'GET', '/gamification/daily_streaks')).data[0].streak_count, 1, 'the streak')
  })

  let commission = ''
  await chain('the commission can be followed: 5 % of 1,000 and 7 % of 1,000 are 120', async () => {
    const s = people.salesperson
    const all = (await api(s, 'GET', '/commissions/commissions')).data
    equal(all.length, 1, 'commissions')
    equal(Number(all[0].commission_amount), 120, 'by hand')
    commission = all[0].id
    await s.goto(`${BASE}/o/commissions-commissions/r/${commission}`)
    await s.getByText('5 % of the 1,000 on the step from 0').waitFor()
    await s.getByText('7 % of the 1,000 on the step from 1,000').waitFor()
    truth(await s.getByRole('button', { name: 'Approve' }).count() === 0, 'nobody approves his own')
    await shot(s, 'prs-4-commission')
    await axe(s, 'a commission')
  })

  await chain('approved by the manager, settled and paid out by the accountant', async () => {
    await people.manager.goto(`${BASE}/o/commissions-commissions/r/${commission}`)
    await act(people.manager, 'Approve')
    await people.manager.locator('.chip', { hasText: 'Approved' }).first().waitFor()
    const a = people.accountant
    await a.goto(`${BASE}/o/commissions-commissions/r/${commission}`)
    await act(a, 'Settle all that is approved')
    await a.getByRole('dialog').getByRole('button', { name: 'Settle all that is approved' }).click()
    await a.getByRole('dialog').waitFor({ state: 'detached' })
    const run = (await api(a, 'GET', '/commissions/commission_payments')).data[0]
    equal(Number(run.final_amount), 120, 'the settlement')
    await a.goto(`${BASE}/o/commissions-commission_payments/r/${run.id}`)
    await act(a, 'Paid out')
    await a.locator('.chip', { hasText: 'Paid' }).first().waitFor()
    equal((await api(people.salesperson, 'GET', `/commissions/commissions/${commission}`)).status, 'paid', 'the commission')
  })

  for (const who of [p, ...Object.values(people)]) { equal(who.problems.join('; '), '', 'faults'); await who.context().close() }
}
