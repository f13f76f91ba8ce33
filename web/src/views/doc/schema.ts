import { Extension, Mark, mergeAttributes, Node, type Extensions } from '@tiptap/core'
import Collaboration from '@tiptap/extension-collaboration'
import StarterKit from '@tiptap/starter-kit'
import { yCursorPlugin } from '@tiptap/y-tiptap'
import type { Awareness } from 'y-protocols/awareness'
import type { Doc } from 'yjs'
import { hueOf } from '@/ui/basics'
import { leads } from '@/ui/marks'

// What a document may have in it is said by the server: crates/records/src/docs/paper.rs. Here it is drawn.

const Link = Mark.create({
  name: 'link', inclusive: false,
  addAttributes: () => ({ href: { default: null } }),
  parseHTML: () => [{ tag: 'a[href]', getAttrs: (el) => (leads(el.getAttribute('href') ?? '') ? null : false) }],
  renderHTML: ({ HTMLAttributes }) => ['a', mergeAttributes({ class: 'link', rel: 'noreferrer noopener' }, leads(String(HTMLAttributes.href ?? '')) ? HTMLAttributes : {}), 0],
})
const Comment = Mark.create({
  name: 'comment', inclusive: false,
  addAttributes: () => ({ id: { default: null, renderHTML: (a) => ({ 'data-about': a.id }), parseHTML: (el) => el.getAttribute('data-about') } }),
  parseHTML: () => [{ tag: 'span[data-about]' }],
  renderHTML: ({ HTMLAttributes }) => ['span', mergeAttributes({ class: 'doc-about' }, HTMLAttributes), 0],
})

export interface Shown { dom: HTMLElement; href: string; title: string }
/** A place in the document that the page fills. */
const LinkedTable = (show: (at: Shown) => void, gone: (dom: HTMLElement) => void) => Node.create({
  name: 'linkedTable', group: 'block', atom: true, selectable: true, draggable: true,
  addAttributes: () => ({ href: { default: '' }, title: { default: '' } }),
  parseHTML: () => [],
  renderHTML: () => ['div', { class: 'doc-table' }],
  addNodeView: () => ({ node }) => {
    const dom = document.createElement('div')
    dom.className = 'doc-table'
    dom.contentEditable = 'false'
    show({ dom, href: String(node.attrs.href), title: String(node.attrs.title) })
    return { dom, ignoreMutation: () => true, stopEvent: (e) => !/^drag|^drop|^mousedown/.test(e.type), destroy: () => gone(dom) }
  },
})

/** The carets of the others, with their names. */
const Carets = (awareness: Awareness) => Extension.create({
  name: 'carets',
  addProseMirrorPlugins: () => [yCursorPlugin(awareness, {
    cursorBuilder: (user: { name: string }) => {
      const el = document.createElement('span')
      el.className = 'doc-caret'
      el.style.setProperty('--h', String(hueOf(user.name)))
      el.dataset.name = user.name
      return el
    },
    selectionBuilder: () => ({ class: 'doc-others' }),
  })],
})

export const extensions = (doc: Doc, awareness: Awareness, show: (at: Shown) => void, gone: (dom: HTMLElement) => void): Extensions => [
  StarterKit.configure({ undoRedo: false, link: false, underline: false, trailingNode: false, heading: { levels: [1, 2, 3] }, listItem: false, dropcursor: false }),
  Node.create({
    name: 'listItem', content: 'paragraph (bulletList|orderedList)*', defining: true, parseHTML: () => [{ tag: 'li' }], renderHTML: () => ['li', 0],
    addKeyboardShortcuts() { return { Enter: () => this.editor.commands.splitListItem(this.name), Tab: () => this.editor.commands.sinkListItem(this.name), 'Shift-Tab': () => this.editor.commands.liftListItem(this.name) } },
  }),
  Link, Comment, LinkedTable(show, gone),
  Collaboration.configure({ document: doc }),
  Carets(awareness),
]
