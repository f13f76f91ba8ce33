import { clsx } from 'clsx'
import { useRef, useState, type ReactNode } from 'react'
import { useBox } from '../box'

// Small drawings with the page's own colours. Each mark is a button that says what it is; arrows go from one to the next.

export interface Mark { key: string; label: string; value: number; text: string; hue?: string | undefined }
export interface Serie { key: string; label: string; hue?: string | undefined; marks: (Mark | null)[] }
export interface Pick { group: string; split?: string }
interface Common { label: string; picked?: string | undefined; onPick?: ((p: Pick) => void) | undefined; short: (v: number) => string }

export const HUES = ['accent', 'cyan', 'amber', 'green', 'pink', 'violet', 'red', 'gray']
const DASH = ['', '6 4', '2 3', '9 3 2 3', '1 5', '12 4', '4 2', '8 2 2 2']

/** Round numbers for an axis. */
export function ticks(least: number, most: number, count: number): number[] {
  const from = Math.min(0, least)
  const to = Math.max(0, most)
  if (from === to) return [0, 1]
  const raw = (to - from) / Math.max(1, count)
  const size = 10 ** Math.floor(Math.log10(raw))
  const step = [1, 2, 2.5, 5, 10].map((s) => s * size).find((s) => s >= raw) ?? 10 * size
  const out: number[] = []
  for (let v = Math.floor(from / step) * step; v < to + step * 0.999; v += step) out.push(Math.round(v / step) * step)
  return out
}

/** A place to draw in: as large as it is given, one stop of the Tab key, a word beside the mark that is looked at. */
export function Plot({ label, children }: { label: string; children: (box: { w: number; h: number }) => ReactNode }) {
  const ref = useRef<HTMLDivElement>(null)
  const box = useBox(ref)
  const [tip, setTip] = useState<{ x: number; y: number; text: string } | null>(null)
  const marks = () => [...(ref.current?.querySelectorAll<SVGElement>('[data-mark]') ?? [])]
  const tell = (el: Element | null) => {
    const mark = el?.closest('[data-mark]')
    if (!mark || !ref.current) { setTip(null); return }
    const [a, b] = [mark.getBoundingClientRect(), ref.current.getBoundingClientRect()]
    setTip({ x: Math.max(70, Math.min(b.width - 70, a.left + a.width / 2 - b.left)), y: Math.max(30, a.top - b.top), text: mark.getAttribute('aria-label') ?? '' })
  }
  return (
    <div ref={ref} className="c-plot" onPointerOver={(e) => tell(e.target as Element)} onPointerLeave={() => setTip(null)} onFocus={(e) => tell(e.target)} onBlur={() => setTip(null)}
      onKeyDown={(e) => {
        const rtl = getComputedStyle(e.currentTarget).direction === 'rtl'
        const by = { ArrowRight: rtl ? -1 : 1, ArrowLeft: rtl ? 1 : -1, ArrowDown: 1, ArrowUp: -1 }[e.key]
        const all = marks()
        const at = all.indexOf(document.activeElement as SVGElement)
        const to = e.key === 'Home' ? 0 : e.key === 'End' ? all.length - 1 : by === undefined ? -1 : at + by
        if (at < 0 || !all[to]) { if (e.key === 'Escape') setTip(null); return }
        e.preventDefault(); e.stopPropagation()
        all[at]!.setAttribute('tabindex', '-1')
        all[to].setAttribute('tabindex', '0')
        all[to].focus()
      }}>
      {box.w > 20 && box.h > 20 && <svg width={box.w} height={box.h} role="group" aria-label={label}>{children(box)}</svg>}
      {tip && <div className="c-tip" aria-hidden="true" style={{ insetInlineStart: tip.x, insetBlockStart: tip.y }}>{tip.text}</div>}
    </div>
  )
}
function M({ first, text, group, split, on, dim, onPick, children, className }: { first: boolean; text: string; group: string; split?: string | undefined; on: boolean; dim: boolean; onPick: Common['onPick']; children: ReactNode; className?: string | undefined }) {
  const pick = () => onPick?.(split === undefined ? { group } : { group, split })
  return (
    <g data-mark="" role={onPick ? 'button' : 'img'} tabIndex={first ? 0 : -1} aria-label={text} aria-pressed={onPick ? on : undefined} className={clsx('c-mark', onPick && 'c-can', dim && 'c-dim', className)} onClick={pick}
      onKeyDown={(e) => { if (onPick && (e.key === 'Enter' || e.key === ' ')) { e.preventDefault(); e.stopPropagation(); pick() } }}>{children}</g>
  )
}
const hueOf = (hue: string | undefined) => `c-${hue ?? 'accent'}`
const saidOf = (s: Serie, m: Mark, several: boolean) => (several ? `${m.label}, ${s.label}: ${m.text}` : `${m.label}: ${m.text}`)
/** Room for the words of the axis, guessed from their length. */
const room = (words: string[], least: number, most: number) => Math.max(least, Math.min(most, Math.max(0, ...words.map((x) => x.length)) * 6.6 + 10))
const cutTo = (s: string, px: number) => { const n = Math.floor(px / 6.4); return s.length > n ? s.slice(0, Math.max(1, n - 1)) + '…' : s }

function Grid({ marks, y, from, to, left, short }: { marks: number[]; y: (v: number) => number; from: number; to: number; left: number; short: (v: number) => string }) {
  return <g aria-hidden="true">{marks.map((v) => <g key={v}><line x1={from} x2={to} y1={y(v)} y2={y(v)} className={v === 0 ? 'c-zero' : 'c-line'} /><text x={left - 8} y={y(v) + 4} textAnchor="end" className="c-word">{short(v)}</text></g>)}</g>
}
function Below({ labels, x, y, step }: { labels: string[]; x: (i: number) => number; y: number; step: number }) {
  const every = Math.max(1, Math.ceil((Math.max(...labels.map((l) => Math.min(l.length, 14))) * 6.6 + 12) / Math.max(1, step)))
  return <g aria-hidden="true">{labels.map((l, i) => (i % every === 0 ? <text key={i} x={x(i)} y={y} textAnchor="middle" className="c-word">{cutTo(l, Math.max(step * every, 40))}</text> : null))}</g>
}

export function Bars({ labels, series, stacked, label, picked, onPick, short }: Common & { labels: { key: string; label: string }[]; series: Serie[]; stacked?: boolean }) {
  return (
    <Plot label={label}>{({ w, h }) => {
      const several = series.length > 1
      const total = (i: number, sign: 1 | -1) => series.reduce((n, s) => n + Math.max(0, sign * (s.marks[i]?.value ?? 0)), 0) * sign
      const all = series.flatMap((s) => s.marks.map((m) => m?.value ?? 0))
      const most = stacked ? Math.max(0, ...labels.map((_, i) => total(i, 1))) : Math.max(0, ...all)
      const least = stacked ? Math.min(0, ...labels.map((_, i) => total(i, -1))) : Math.min(0, ...all)
      const marks = ticks(least, most, Math.max(2, Math.floor(h / 56)))
      const left = room(marks.map(short), 30, 92)
      const [low, high] = [marks[0]!, marks.at(-1)!]
      const bottom = h - 24
      const y = (v: number) => bottom - ((v - low) / (high - low)) * (bottom - 8)
      const step = (w - left - 6) / Math.max(1, labels.length)
      const wide = Math.max(1, Math.min(64, step * 0.68))
      let first = true
      return (
        <>
          <Grid marks={marks} y={y} from={left} to={w - 4} left={left} short={short} />
          {labels.map((l, i) => {
            let [up, down] = [0, 0]
            return series.map((s, j) => {
              const m = s.marks[i]
              if (!m || m.value === 0) return null
              const begin = m.value < 0 ? down : up
              if (stacked) { if (m.value < 0) down += m.value; else up += m.value }
              const [a, b] = stacked ? [begin, begin + m.value] : [0, m.value]
              const own = stacked ? wide : wide / series.length
              const x = left + step * i + (step - wide) / 2 + (stacked ? 0 : own * j)
              const top = Math.min(y(a), y(b))
              const tall = Math.max(1, Math.abs(y(a) - y(b)))
              const is = first
              first = false
              return <M key={`${l.key}|${s.key}`} first={is} text={saidOf(s, m, several)} group={l.key} split={several ? s.key : undefined} on={picked === l.key} dim={picked !== undefined && picked !== l.key} onPick={onPick} className={hueOf(m.hue ?? s.hue)}><rect x={x} y={top} width={own} height={tall} rx={Math.min(2, tall / 2)} /></M>
            })
          })}
          <Below labels={labels.map((l) => l.label)} x={(i) => left + step * (i + 0.5)} y={h - 6} step={step} />
        </>
      )
    }}</Plot>
  )
}

export function SideBars({ marks, label, picked, onPick, short }: Common & { marks: Mark[] }) {
  return (
    <Plot label={label}>{({ w, h }) => {
      const scale = ticks(Math.min(...marks.map((m) => m.value)), Math.max(...marks.map((m) => m.value)), Math.max(2, Math.floor(w / 150)))
      const left = room(marks.map((m) => m.label), 40, w * 0.36)
      const [low, high] = [scale[0]!, scale.at(-1)!]
      const x = (v: number) => left + ((v - low) / (high - low)) * (w - left - 26)
      const step = Math.min(46, (h - 22) / Math.max(1, marks.length))
      const tall = Math.max(2, Math.min(26, step * 0.66))
      return (
        <>
          <g aria-hidden="true">{scale.map((v) => <g key={v}><line x1={x(v)} x2={x(v)} y1={0} y2={h - 20} className={v === 0 ? 'c-zero' : 'c-line'} /><text x={x(v)} y={h - 5} textAnchor="middle" className="c-word">{short(v)}</text></g>)}</g>
          {marks.map((m, i) => (
            <M key={m.key} first={i === 0} text={`${m.label}: ${m.text}`} group={m.key} on={picked === m.key} dim={picked !== undefined && picked !== m.key} onPick={onPick} className={hueOf(m.hue)}>
              <rect x={0} y={step * i} width={w} height={step} className="c-hit" />
              <text x={left - 8} y={step * (i + 0.5) + 4} textAnchor="end" className="c-word c-strong">{cutTo(m.label, left - 8)}</text>
              <rect x={Math.min(x(0), x(m.value))} y={step * (i + 0.5) - tall / 2} width={Math.max(1, Math.abs(x(m.value) - x(0)))} height={tall} rx={2} />
            </M>
          ))}
        </>
      )
    }}</Plot>
  )
}

export function Lines({ labels, series, area, label, picked, onPick, short }: Common & { labels: { key: string; label: string }[]; series: Serie[]; area?: boolean }) {
  return (
    <Plot label={label}>{({ w, h }) => {
      const several = series.length > 1
      const all = series.flatMap((s) => s.marks.map((m) => m?.value ?? 0))
      const marks = ticks(Math.min(0, ...all), Math.max(0, ...all), Math.max(2, Math.floor(h / 56)))
      const left = room(marks.map(short), 30, 92)
      const [low, high] = [marks[0]!, marks.at(-1)!]
      const bottom = h - 24
      const y = (v: number) => bottom - ((v - low) / (high - low)) * (bottom - 8)
      const step = (w - left - 16) / Math.max(1, labels.length - 1)
      const x = (i: number) => left + 6 + (labels.length > 1 ? step * i : (w - left) / 2)
      let first = true
      return (
        <>
          <Grid marks={marks} y={y} from={left} to={w - 4} left={left} short={short} />
          {series.map((s, j) => {
            const points = s.marks.map((m, i) => `${x(i).toFixed(1)},${y(m?.value ?? 0).toFixed(1)}`)
            return (
              <g key={s.key} aria-hidden="true" className={hueOf(s.hue ?? HUES[j % HUES.length])}>
                {area && points.length > 1 && <polygon className="c-area" points={`${x(0)},${y(0)} ${points.join(' ')} ${x(labels.length - 1)},${y(0)}`} />}
                <polyline className="c-stroke" points={points.join(' ')} strokeDasharray={several ? DASH[j % DASH.length] : undefined} />
              </g>
            )
          })}
          {labels.map((l, i) => series.map((s, j) => {
            const m = s.marks[i]
            if (!m) return null
            const is = first
            first = false
            return <M key={`${l.key}|${s.key}`} first={is} text={saidOf(s, m, several)} group={l.key} split={several ? s.key : undefined} on={picked === l.key} dim={false} onPick={onPick} className={clsx(hueOf(s.hue ?? HUES[j % HUES.length]), 'c-point', picked === l.key && 'c-on', labels.length > 40 && 'c-many')}><circle cx={x(i)} cy={y(m.value)} r={Math.max(6, Math.min(12, step / 2))} className="c-hit" /><circle cx={x(i)} cy={y(m.value)} r={3.2} /></M>
          }))}
          <Below labels={labels.map((l) => l.label)} x={x} y={h - 6} step={step} />
        </>
      )
    }}</Plot>
  )
}

export function Pie({ marks, label, picked, onPick, middle }: Common & { marks: Mark[]; middle?: string | undefined }) {
  const total = marks.reduce((n, m) => n + Math.max(0, m.value), 0)
  return (
    <Plot label={label}>{({ w, h }) => {
      const r = Math.max(10, Math.min(w, h) / 2 - 4)
      const inner = r * 0.66
      let from = -Math.PI / 2
      return (
        <g transform={`translate(${w / 2},${h / 2})`}>
          {marks.map((m, i) => {
            const share = total ? Math.max(0, m.value) / total : 0
            const to = from + share * Math.PI * 2
            // A whole ring is two halves: an arc to where it began is none.
            const p = (a: number, q: number) => `${(Math.cos(a) * q).toFixed(2)},${(Math.sin(a) * q).toFixed(2)}`
            const half = (from + to) / 2
            const d = `M${p(from, r)}A${r},${r} 0 0 1 ${p(half, r)}A${r},${r} 0 0 1 ${p(to, r)}L${p(to, inner)}A${inner},${inner} 0 0 0 ${p(half, inner)}A${inner},${inner} 0 0 0 ${p(from, inner)}Z`
            from = to
            if (share === 0) return null
            return <M key={m.key} first={i === 0} text={`${m.label}: ${m.text} (${Math.round(share * 1000) / 10}%)`} group={m.key} on={picked === m.key} dim={picked !== undefined && picked !== m.key} onPick={onPick} className={clsx(hueOf(m.hue), 'c-slice')}><path d={d} /></M>
          })}
          {middle && <text textAnchor="middle" y={6} className="c-middle" aria-hidden="true">{middle}</text>}
        </g>
      )
    }}</Plot>
  )
}

export function Funnel({ marks, label, picked, onPick }: Common & { marks: Mark[] }) {
  return (
    <Plot label={label}>{({ w, h }) => {
      const most = Math.max(1, ...marks.map((m) => m.value))
      const step = h / Math.max(1, marks.length)
      const side = room(marks.map((m) => m.label), 60, w * 0.34)
      const wide = w - side - 70
      return marks.map((m, i) => {
        const a = (m.value / most) * wide
        const b = ((marks[i + 1]?.value ?? m.value) / most) * wide
        const mid = side + wide / 2
        const [top, low] = [step * i + 2, step * (i + 1) - 2]
        const before = marks[i - 1]
        const kept = before && before.value ? Math.round((m.value / before.value) * 100) : null
        return (
          <M key={m.key} first={i === 0} text={`${m.label}: ${m.text}${kept === null ? '' : ` (${kept}%)`}`} group={m.key} on={picked === m.key} dim={picked !== undefined && picked !== m.key} onPick={onPick} className={hueOf(m.hue)}>
            <rect x={0} y={step * i} width={w} height={step} className="c-hit" />
            <text x={side - 10} y={(top + low) / 2 + 4} textAnchor="end" className="c-word c-strong">{cutTo(m.label, side - 10)}</text>
            <path d={`M${mid - Math.max(a, 2) / 2},${top}H${mid + Math.max(a, 2) / 2}L${mid + Math.max(Math.min(b, a), 2) / 2},${low}H${mid - Math.max(Math.min(b, a), 2) / 2}Z`} />
            <text x={w} y={(top + low) / 2 + 4} textAnchor="end" className="c-word c-strong">{m.text}</text>
          </M>
        )
      })
    }}</Plot>
  )
}

/** A year of days, a column a week. Days without anything are one drawing together. */
export function Days({ weeks, label, months, weekdays, picked, onPick, foot }: Common & { weeks: { key: string; text: string; level: number }[][]; months: { at: number; label: string }[]; weekdays: string[]; foot: ReactNode }) {
  return (
    <div className="flex flex-col h-full min-h-0">
      <div className="flex-1 min-h-0">
        <Plot label={label}>{({ w, h }) => {
          const left = 34
          const size = Math.max(5, Math.min((w - left) / weeks.length, (h - 18) / 7))
          let first = true
          return (
            <>
              <g aria-hidden="true">
                {months.map((m) => <text key={m.at} x={left + m.at * size} y={10} className="c-word">{m.label}</text>)}
                {weekdays.map((d, i) => i % 2 === 0 && size > 8 && <text key={i} x={left - 6} y={18 + i * size + size / 2 + 4} textAnchor="end" className="c-word">{d}</text>)}
                <path className="c-none" d={weeks.map((week, x) => week.map((d, y) => (d.level === 0 ? `M${left + x * size},${18 + y * size}h${size - 2}v${size - 2}h${2 - size}z` : '')).join('')).join('')} />
              </g>
              {weeks.map((week, x) => week.map((d, y) => {
                if (d.level <= 0) return null
                const is = first
                first = false
                return <M key={d.key} first={is} text={d.text} group={d.key} on={picked === d.key} dim={picked !== undefined && picked !== d.key} onPick={onPick} className={`c-day${d.level}`}><rect x={left + x * size} y={18 + y * size} width={size - 2} height={size - 2} rx={2} /></M>
              }))}
            </>
          )
        }}</Plot>
      </div>
      {foot}
    </div>
  )
}

/** How it went, without words: those are beside it. */
export function Spark({ values }: { values: number[] }) {
  const [w, h] = [96, 30]
  const [low, high] = [Math.min(0, ...values), Math.max(1e-9, ...values)]
  const points = values.map((v, i) => `${((i / Math.max(1, values.length - 1)) * (w - 6) + 3).toFixed(1)},${(h - 3 - ((v - low) / (high - low)) * (h - 6)).toFixed(1)}`)
  return <svg width={w} height={h} aria-hidden="true" className="c-accent flex-none"><polyline className="c-stroke" points={points.join(' ')} />{points.length > 0 && <circle cx={points.at(-1)!.split(',')[0]} cy={points.at(-1)!.split(',')[1]} r={2.6} className="c-dot" />}</svg>
}

export function Legend({ items, picked, onPick }: { items: { key: string; label: string; hue?: string | undefined; text?: string }[]; picked?: string | undefined; onPick?: ((key: string) => void) | undefined }) {
  return (
    <ul className="c-legend">
      {items.map((x, i) => {
        const inner = <><svg width="16" height="10" aria-hidden="true" className={hueOf(x.hue ?? HUES[i % HUES.length])}><rect width="10" height="10" x="3" rx="3" /></svg><span className="truncate">{x.label}</span>{x.text && <span className="num text-faint">{x.text}</span>}</>
        return <li key={x.key}>{onPick ? <button type="button" className={clsx('c-key', picked !== undefined && picked !== x.key && 'c-dim')} aria-pressed={picked === x.key} onClick={() => onPick(x.key)}>{inner}</button> : <span className="c-key">{inner}</span>}</li>
      })}
    </ul>
  )
}
