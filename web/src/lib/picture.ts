/** What part of a picture is kept: the largest square in its middle. */
export function middle(width: number, height: number): { x: number; y: number; side: number } {
  const side = Math.min(width, height)
  return { x: Math.floor((width - side) / 2), y: Math.floor((height - side) / 2), side }
}

/** A photo as it comes from a camera, made into a small square one. */
export async function squared(file: Blob, size = 256): Promise<Blob> {
  const image = await createImageBitmap(file)
  const { x, y, side } = middle(image.width, image.height)
  const canvas = document.createElement('canvas')
  canvas.width = canvas.height = Math.min(size, side)
  canvas.getContext('2d')!.drawImage(image, x, y, side, side, 0, 0, canvas.width, canvas.height)
  image.close()
  return new Promise((made, failed) => canvas.toBlob((b) => (b ? made(b) : failed(new Error('no picture'))), 'image/png'))
}
