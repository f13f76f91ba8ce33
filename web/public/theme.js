// Runs before the first paint, so a dark screen never flashes white. A file of its own because the content security policy allows no inline script.
;(function () {
  var chosen = 'system'
  try {
    chosen = localStorage.getItem('theme') || 'system'
    document.documentElement.lang = localStorage.getItem('locale') || 'en'
  } catch (_) {}
  var dark = chosen === 'dark' || (chosen !== 'light' && matchMedia('(prefers-color-scheme: dark)').matches)
  document.documentElement.dataset.theme = dark ? 'dark' : 'light'
})()
