/** The icons that people choose from, for a table of their own or in a field. */
export const ICONS = ['table', 'map-pin', 'building', 'warehouse', 'truck', 'wrench', 'package', 'flask-conical', 'calendar', 'users', 'briefcase', 'file-text', 'ticket', 'camera', 'graduation-cap', 'heart', 'star', 'key', 'globe', 'shield']
