// node e2e/run.mjs [journey]…: all of them, in two lanes side by side, or those that are named, one after another, against BASE_URL;
// letters are read from FONDACO_OUTBOX.
import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { fresh, newcomer, open, page, results, scene } from './kit.mjs'

/** Each lane has a company of its own, in which its journeys build on each other: the screens of `looks` show what those before it left. */
const LANES = [
  ['trade', 'people', 'together', 'messages', 'admin', 'looks', 'words', 'board', 'approvals', 'prs', 'reports'],
  ['keyboard', 'table', 'sheet', 'data', 'xss', 'time', 'work', 'fields', 'conditions', 'docs', 'aria', 'roles', 'views', 'receivables', 'bank', 'budgets', 'shares'],
]
/** Alone, as it measures. */
const LAST = ['speed']

/** Runs journeys one after another in a browser; the first begins a company, or finds one that has traded. */
async function run(names) {
  const browser = await open()
  try {
    let email
    for (const name of names) {
      const { [name]: journey } = await import(`./${name}.mjs`)
      if (!email && name !== 'trade') {
        email = fresh('visitor')
        const p = await page(browser)
        await newcomer(p, email, 'Steppe Trading')
        await scene(p)
        await p.context().close()
      }
      const made = await journey(browser, email)
      if (name === 'trade') email = made
    }
  } catch (e) {
    results.failed++
    console.log(`FAILED ${e?.stack ?? e}`)
  } finally {
    await browser.close()
  }
}

/** A lane is a run of its own, whose results are added to these. */
const lane = (names) => new Promise((done) => {
  const child = spawn(process.execPath, [fileURLToPath(import.meta.url), ...names], { stdio: ['ignore', 'pipe', 'inherit'] })
  let told = false
  createInterface(child.stdout).on('line', (line) => {
    const [, passed, failed] = /^(\d+) passed, (\d+) failed$/.exec(line) ?? []
    if (passed === undefined) console.log(line)
    else { told = true; results.passed += Number(passed); results.failed += Number(failed) }
  }).on('close', () => { if (!told) { results.failed++; console.log(`FAILED ${names.join(', ')}: ended without a word`) } done() })
})

const wanted = process.argv.slice(2)
if (wanted.length) await run(wanted)
else {
  await Promise.all(LANES.map(lane))
  await lane(LAST)
}
console.log(`${results.passed} passed, ${results.failed} failed`)
process.exitCode = results.failed ? 1 : 0
