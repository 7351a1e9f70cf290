/** Where the boxes of a plan stand: waves from left to right, a lane for each database. */

export const BOX = { width: 196, height: 92 };
const GAP = { x: 44, y: 12 };
const MARGIN = { left: 12, top: 44, lane: 28 };

/**
 * Place the entries of extensions.execution.
 *
 * Returns { width, height, waves: [{ wave, x }], lanes: [{ database, y, height }],
 * boxes: [{ fetch, x, y }], lines: [{ from, to }] }: a line leads from a list to what its rows
 * lead to.
 */
export function place(fetches) {
  const numbers = [...new Set(fetches.map((fetch) => fetch.wave))].sort((a, b) => a - b);
  // One wave alone has room for two boxes side by side.
  const abreast = numbers.length === 1 ? 2 : 1;
  const span = abreast * (BOX.width + GAP.y) - GAP.y;
  const waves = numbers.map((wave, index) => ({
    wave,
    x: MARGIN.left + index * (span + GAP.x),
  }));
  const x = Object.fromEntries(waves.map((column) => [column.wave, column.x]));
  const boxes = [];
  const lanes = [];
  let y = MARGIN.top;
  for (const database of new Set(fetches.map((fetch) => fetch.database))) {
    const rows = {};
    const start = y + MARGIN.lane;
    for (const fetch of fetches.filter((other) => other.database === database)) {
      const count = rows[fetch.wave] ?? 0;
      rows[fetch.wave] = count + 1;
      boxes.push({
        fetch,
        x: x[fetch.wave] + (count % abreast) * (BOX.width + GAP.y),
        y: start + Math.floor(count / abreast) * (BOX.height + GAP.y),
      });
    }
    const deepest = Math.ceil(Math.max(...Object.values(rows)) / abreast);
    const height = MARGIN.lane + deepest * (BOX.height + GAP.y);
    lanes.push({ database, y, height });
    y += height + GAP.y;
  }
  return {
    width: 2 * MARGIN.left + waves.length * (span + GAP.x) - GAP.x,
    height: y,
    waves,
    lanes,
    boxes,
    lines: linesBetween(boxes),
  };
}

/** Return the lines from each list to the nearest entries below it, in a later wave. */
function linesBetween(boxes) {
  const lines = [];
  for (const to of boxes) {
    const above = boxes
      .filter((from) => from.fetch.wave < to.fetch.wave && leads(from.fetch, to.fetch))
      .sort((a, b) => b.fetch.wave - a.fetch.wave);
    if (above.length) lines.push({ from: above[0], to });
  }
  return lines;
}

const leads = (from, to) =>
  from.kind === "LIST" &&
  to.paths.some((path) => from.paths.some((parent) => path.startsWith(`${parent}.`)));
