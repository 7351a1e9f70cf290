/** A list as CSV (RFC 4180), for spreadsheets. */

/**
 * Return a cell. A spreadsheet takes a text with one of these beginnings for a formula, so it gets an
 * apostrophe before it (OWASP, CSV injection); numbers are numbers.
 */
function cell(value) {
  if (value === null || value === undefined) return "";
  const text = typeof value === "object" ? JSON.stringify(value) : String(value);
  const safe = typeof value !== "number" && /^[=+\-@\t\r\n|%]/.test(text) ? `'${text}` : text;
  return /[",\r\n;]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

/**
 * Return the text of a CSV file: what the list is and its state, then its columns and rows.
 *
 * `about`: pairs for the head; a reader of the file has to see what was not answered.
 */
export function csv(about, names, rows) {
  const lines = [...about, [], names, ...rows];
  return `\ufeff${lines.map((line) => line.map(cell).join(",")).join("\r\n")}\r\n`;
}

/** Have the browser save `text` under `name`. */
export function save(text, name) {
  const address = URL.createObjectURL(new Blob([text], { type: "text/csv;charset=utf-8" }));
  const link = document.createElement("a");
  link.href = address;
  link.download = name;
  link.click();
  URL.revokeObjectURL(address);
}
