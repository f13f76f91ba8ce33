/** A text that the server made, kept as a file. */
export function keep(file: { name: string; text: string }): void {
  const href = URL.createObjectURL(new Blob([file.text], { type: 'application/octet-stream' }))
  Object.assign(document.createElement('a'), { href, download: file.name }).click()
  setTimeout(() => URL.revokeObjectURL(href), 60_000)
}
