/** The dark squares of a code as the path of an SVG, a run of them at a time. */
export const pathOf = (rows: boolean[][]): string => rows.map((row, y) => {
  let d = ''
  for (let x = 0; x < row.length; x++) {
    if (!row[x]) continue
    const from = x
    while (row[x + 1]) x++
    d += `M${from} ${y}h${x - from + 1}v1h${from - x - 1}z`
  }
  return d
}).join('')
