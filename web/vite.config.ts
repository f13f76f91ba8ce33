import { fileURLToPath } from 'node:url'
import tailwindcss from '@tailwindcss/vite'
import react from '@vitejs/plugin-react'
import type { Plugin } from 'vite'
import { defineConfig } from 'vitest/config'

const api = process.env.BASE_URL ?? 'http://127.0.0.1:8080'

/** What there is to keep for work without a connection: `public/sw.js` reads it. */
const shell: Plugin = {
  name: 'shell',
  // Last: parts that hold nothing but styles are taken out at the end.
  generateBundle: { order: 'post', handler(_, bundle) {
    const parts = Object.keys(bundle).filter((f) => /^assets\/.*\.(js|css|woff2)$/.test(f)).map((f) => `/${f}`)
    this.emitFile({ type: 'asset', fileName: 'shell.json', source: JSON.stringify([...parts, '/theme.js', '/favicon.svg', '/manifest.webmanifest', '/icons/icon-192.png'].sort()) })
  } },
}

export default defineConfig({
  plugins: [react(), tailwindcss(), shell],
  resolve: { alias: { '@': fileURLToPath(new URL('./src', import.meta.url)) } },
  // Nothing is inlined as data: the content security policy allows fonts and scripts from this origin only.
  build: { target: 'es2023', manifest: true, assetsInlineLimit: 0, reportCompressedSize: false, chunkSizeWarningLimit: 700,
    // What every screen needs of ours comes in one piece. Seven letters tell versions of a part from each other; the first one
    // names all parts, and letters at random do not compress.
    rolldownOptions: { output: { chunkFileNames: 'assets/[name]-[hash:7].js', assetFileNames: 'assets/[name]-[hash:7][extname]', codeSplitting: { groups: [
      // Icons of every screen are too small to be fetched one by one.
      { name: 'icons', test: /icons\/(arrow-up|bell|check|chevron-down|chevron-right|chevrons-up-down|plus|save|search)\.m?js$/ },
      { name: 'base', test: /src\/(api|lib|meta)\/(?!condition|picture|places|files|useForm)/ },
    ] } } } },
  server: { proxy: { '/api': api } },
  test: { environment: 'jsdom', include: ['src/**/*.test.{ts,tsx}'] },
})
