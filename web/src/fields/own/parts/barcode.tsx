import { ScanLine } from 'lucide-react'
import { useEffect, useRef, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { checks } from '@/fields/own/checkdigit'
import { Dialog } from '@/ui/basics'
import type { InputProps } from '../../registry'
import { text, TextInput } from '../../shared'

interface Detector { detect: (from: HTMLVideoElement) => Promise<{ rawValue: string }[]> }
const known = (): (new () => Detector) | undefined => (globalThis as { BarcodeDetector?: new () => Detector }).BarcodeDetector

/** Typed, by a scanner that types, or by the camera where the browser reads codes. */
export default function BarcodeInput(p: InputProps) {
  const { t } = useTranslation()
  const [scanning, setScanning] = useState(false)
  const last = useRef(0)
  const wrong = checks(text(p.value)) === false
  return (
    <div className="w-full">
      <div className="flex gap-2" role="presentation"
        // A scanner ends what it types with Enter, at once: that is not the person's word to save.
        onKeyDownCapture={(e) => { const quick = e.timeStamp - last.current < 40; last.current = e.timeStamp; if (e.key === 'Enter' && quick) { e.preventDefault(); e.stopPropagation() } }}>
        <TextInput p={p} />
        {known() && 'mediaDevices' in navigator && <button type="button" className="btn icon" aria-label={t('scan.camera')} title={t('scan.camera')} onClick={() => setScanning(true)}><ScanLine size={16} /></button>}
      </div>
      <div role="status">{wrong && <span className="text-warn text-xs">{t('scan.wrong')}</span>}</div>
      {scanning && <Camera onRead={(code) => { setScanning(false); p.onChange(code) }} onClose={() => setScanning(false)} />}
    </div>
  )
}

function Camera({ onRead, onClose }: { onRead: (code: string) => void; onClose: () => void }) {
  const { t } = useTranslation()
  const video = useRef<HTMLVideoElement>(null)
  const [refused, setRefused] = useState(false)
  useEffect(() => {
    const state = { over: false }
    let stream: MediaStream | undefined
    const look = async () => {
      try {
        stream = await navigator.mediaDevices.getUserMedia({ video: { facingMode: 'environment' } })
        const el = video.current
        if (state.over || !el) return stop()
        el.srcObject = stream
        await el.play()
        const detector = new (known()!)()
        while (!state.over) {
          const [code] = await detector.detect(el).catch(() => [])
          if (code && !state.over) { onRead(code.rawValue); return }
          await new Promise((r) => setTimeout(r, 150))
        }
      } catch { if (!state.over) setRefused(true) }
    }
    const stop = () => stream?.getTracks().forEach((x) => x.stop())
    void look()
    return () => { state.over = true; stop() }
  }, [])
  return <Dialog title={t('scan.camera')} width={480} onClose={onClose}>{refused ? <p role="alert">{t('scan.refused')}</p> : <video ref={video} muted playsInline className="w-full" style={{ borderRadius: 8, background: '#000', minBlockSize: 200 }} />}</Dialog>
}
