/** How many of four bars stand for the choice at this place: the last is all, the first is one. */
export const filled = (at: number, of: number): number => (at < 0 ? 0 : of < 2 ? 4 : 1 + Math.round((at * 3) / (of - 1)))
