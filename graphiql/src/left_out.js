/** In place of Prettier's plugins for JSON, which are as large as React: see tidy.js. */
export const printers = {};
export const parsers = {};
