/** The shapes a link may have besides the table: they come together, when one is met. */
export { default as Board } from './board'
export { default as Dashboard } from './dashboard'
export { default as Calendar } from './calendar'
export { default as Gallery } from './gallery'
export { default as Timeline } from './timeline'
