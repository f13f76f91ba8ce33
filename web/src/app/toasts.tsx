import { useEffect } from 'react'
import { Toaster } from 'sonner'
import { placed } from '@/lib/toast'

export default function Toasts() {
  useEffect(placed, [])
  return <Toaster position="bottom-center" offset={100} theme="system" gap={8} style={{ fontFamily: 'inherit' }} toastOptions={{ classNames: { toast: '!bg-raised !text-fg !border-line !rounded-lg !shadow-lg', actionButton: '!bg-transparent !text-accent-text !font-semibold', description: '!text-muted', success: '[&_[data-icon]]:text-good', error: '!text-bad' } }} />
}
