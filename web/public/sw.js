// Keeps the program, and the answers seen last, for reading without a connection. What it keeps of answers belongs to one
// person in one company, whom `/me` named; whatever may change who that is deletes all of it.
const SHELL = 'shell'
const SEEN = 'seen:'
const MOST = 400

const CHANGES_WHO = /^\/api\/v1\/(auth\/(login|logout|verify|reset|password)|organizations|invitations\/accept)/
// Never kept: secrets, files, logs, what is told by the minute.
const NOT_KEPT = /^\/api\/v1\/(auth|events|files|jobs|imports|notifications|comments|presence|search|audit|settings|members|roles|people|fields|openapi|public|shares|me\/)|\/_(export|print|history)/
const ME = '/api/v1/me'

// Grows with every change of who: what was asked for before is not kept after.
let epoch = 0
const whose = async () => (await caches.keys()).find((k) => k.startsWith(SEEN))
async function forget(but) {
  epoch++
  for (const k of await caches.keys()) if (k.startsWith(SEEN) && k !== but) await caches.delete(k)
}

addEventListener('install', () => skipWaiting())
addEventListener('activate', (e) => e.waitUntil(clients.claim()))
addEventListener('message', (e) => {
  if (e.data === 'keep') e.waitUntil(keepProgram().catch(() => {}))
  if (e.data === 'forget') e.waitUntil(forget())
})
addEventListener('fetch', (e) => {
  const { request } = e
  const url = new URL(request.url)
  if (url.origin !== location.origin) return
  const path = url.pathname
  if (path.startsWith('/api/')) {
    if (request.method === 'GET') { if (!NOT_KEPT.test(path)) e.respondWith(answer(e, url)) }
    else if (CHANGES_WHO.test(path)) e.respondWith(forget().then(() => fetch(request)).finally(() => forget()))
  } else if (request.method !== 'GET') return
  else if (request.mode === 'navigate') e.respondWith(page(e))
  else if (/^\/(assets|icons)\/|^\/(theme\.js|favicon\.svg|manifest\.webmanifest)$/.test(path)) e.respondWith(part(e, path))
})

async function answer(e, url) {
  const { request } = e
  const key = `${url.pathname}${url.search || '?'}&in=${request.headers.get('Accept-Language') ?? ''}`
  const began = epoch
  const asked = whose()
  let fresh
  try { fresh = await fetch(request) } catch (gone) {
    const cache = await asked
    const old = cache && began === epoch ? await (await caches.open(cache)).match(key) : undefined
    if (old) return old
    throw gone
  }
  if (fresh.status === 401) await forget()
  else if (fresh.ok && (fresh.headers.get('Content-Type') ?? '').includes('json')) {
    const copy = fresh.clone()
    e.waitUntil(asked.then((cache) => keep(cache, began, url.pathname, key, copy)).catch(() => {}))
  }
  return fresh
}

async function keep(cache, began, path, key, fresh) {
  if (began !== epoch) return
  let name = cache
  if (path === ME) {
    const me = await fresh.clone().json()
    if (!me.organization) return forget()
    name = `${SEEN}${me.user.id}:${me.organization.id}`
    if (began !== epoch) return
    if (name !== cache) { await forget(name); began = epoch }
  } else if (!name || !(await caches.has(name))) return
  const to = await caches.open(name)
  const body = await fresh.blob()
  if (began !== epoch) { if (path === ME) await caches.delete(name); return }
  await to.put(key, new Response(body, { status: fresh.status, headers: fresh.headers }))
  const all = await to.keys()
  for (const k of all.filter((r) => new URL(r.url).pathname !== ME).slice(0, Math.max(0, all.length - MOST))) await to.delete(k)
}

/** The one page, whatever its path; other pages of the server are not it. */
async function keepPage(page) {
  const text = await page.text()
  if (page.ok && text.includes('id="root"')) await (await caches.open(SHELL)).put('/', new Response(text, { headers: page.headers }))
}
async function page(e) {
  try {
    const fresh = await fetch(e.request)
    e.waitUntil(keepPage(fresh.clone()).catch(() => {}))
    return fresh
  } catch (gone) {
    const old = await caches.match('/', { cacheName: SHELL })
    if (old) return old
    throw gone
  }
}

async function part(e, path) {
  const cache = await caches.open(SHELL)
  const hashed = path.startsWith('/assets/')
  const old = await cache.match(path)
  if (old && hashed) return old
  try {
    const fresh = await fetch(e.request)
    if (fresh.ok) e.waitUntil(cache.put(path, fresh.clone()).catch(() => {}))
    return fresh
  } catch (gone) {
    if (old) return old
    throw gone
  }
}

/** All parts of the program that the server has now, a few at a time; then those of older ones go. */
async function keepProgram() {
  const list = await fetch('/shell.json', { cache: 'no-store' })
  if (!list.ok) return
  const files = await list.json()
  const cache = await caches.open(SHELL)
  const have = new Set((await cache.keys()).map((r) => new URL(r.url).pathname))
  const wanted = files.filter((f) => !have.has(f))
  const fetchSome = async () => { for (let f = wanted.pop(); f; f = wanted.pop()) await cache.add(f).catch(() => {}) }
  await Promise.all(Array.from({ length: 4 }, fetchSome))
  await keepPage(await fetch('/', { cache: 'no-store' }))
  for (const f of have) if (f.startsWith('/assets/') && !files.includes(f)) await cache.delete(f)
}
