import './parts.css'
import { usePeople } from '@/api/people'
import { Markdown } from '@/ui/markdown'

export default function Shown({ text }: { text: string }) {
  const people = usePeople()
  return <Markdown text={text} names={people.map((p) => p.name).filter(Boolean)} className="rich" heading="h2" />
}
