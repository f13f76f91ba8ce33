import { fileURLToPath } from 'node:url'
import tailwindcss from '@tailwindcss/vite'
import react from '@vitejs/plugin-react'
import { defineConfig } from 'vitest/config'

const api = process.env.BASE_URL ?? 'http://127.0.0.1:8080'

export default defineConfig({
  plugins: [react(), tailwindcss()],
  resolve: { alias: { '@': fileURLToPath(new URL('./src', import.meta.url)) } },
  // Nothing is inlined as data: the content security policy allows fonts and scripts from this origin only.
  build: { target: 'es2023', manifest: true, assetsInlineLimit: 0, reportCompressedSize: false, chunkSizeWarningLimit: 700,
    // What every screen needs of ours comes in one piece.
    rolldownOptions: { output: { codeSplitting: { groups: [{ name: 'base', test: /src\/(api|lib|meta)\/(?!condition|picture|places|files|useForm)/ }] } } } },
  server: { proxy: { '/api': api } },
  test: { environment: 'jsdom', include: ['src/**/*.test.{ts,tsx}'] },
})
