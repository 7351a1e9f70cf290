/** A plan as a drawing: waves from left to right, a lane for each database, a box for each read. */
import { BOX, place } from "./layout.js";
import { cacheOf, endOf, formOf, isInner, ms, nameOf, rowsOf, titleOf } from "./words.js";

const CUT = 12;
const { width: W, height: H } = BOX;
/** What has failed has cut corners, so that it differs in print and to all eyes. */
const OUTLINES = {
  failed: `M${CUT} 0H${W - CUT}L${W} ${CUT}V${H - CUT}L${W - CUT} ${H}H${CUT}L0 ${H - CUT}V${CUT}Z`,
  plain: `M6 0H${W - 6}Q${W} 0 ${W} 6V${H - 6}Q${W} ${H} ${W - 6} ${H}H6Q0 ${H} 0 ${H - 6}V6Q0 0 6 0Z`,
};
const BAR = { x: 12, y: H - 12, width: W - 24, height: 5 };
const LONGEST = 27;
/** A lane has room for a title of so many letters and the name of its database. */
const LONGEST_TITLE = 48;

const clip = (text) => (text.length > LONGEST ? `${text.slice(0, LONGEST - 1)}…` : text);
const joined = (parts) => parts.filter(Boolean).join(" · ");

/** Return the lines of text in a box. */
function linesOf(fetch) {
  const end = endOf(fetch);
  const cache = cacheOf(fetch);
  if (isInner(fetch) || !cache) {
    const missing = fetch.missing?.length ? clip(fetch.missing.join(", ")) : "";
    return [clip(isInner(fetch) ? fetch.records.join(", ") : ""), missing, ""];
  }
  const keys = fetch.keys ? `${fetch.keys} khóa` : "";
  const rows = end.look === "answered" || fetch.rows !== null ? rowsOf(fetch)[0] : "";
  const form = formOf(fetch)?.[1] === "JSON" && "JSON";
  return [
    joined([ms(fetch.endMilliseconds - fetch.startMilliseconds), keys, rows]),
    joined([`${cache.sign} ${cache.vi}`, form]),
  ];
}

/** Say everything that a box shows, for those who do not see it. */
export function describe(fetch) {
  const end = endOf(fetch);
  const cache = cacheOf(fetch);
  const [name, nameEn] = nameOf(fetch);
  return joined([
    `${fetch.database} ${name}${nameEn && ` (${nameEn})`}`,
    `đợt ${fetch.wave} (wave ${fetch.wave})`,
    `${end.vi} (${end.en})`,
    fetch.missing?.length && `thiếu (lacks) ${fetch.missing.join(", ")}`,
    fetch.endMilliseconds !== undefined &&
      `${ms(fetch.endMilliseconds - fetch.startMilliseconds)}: chờ (wait) ${ms(fetch.waitMilliseconds)}, CSDL (database) ${ms(fetch.databaseMilliseconds)}`,
    fetch.keys && `${fetch.keys} khóa (keys)`,
    rowsOf(fetch)[0] && `${rowsOf(fetch)[0]} (${rowsOf(fetch)[1]})`,
    cache && `${cache.vi} (${cache.en})`,
  ]);
}

/** The share of the whole time in which this read waited (hatched) and was read (full). */
function Time({ fetch, total }) {
  if (fetch.endMilliseconds === undefined || !total) return null;
  const at = (value) => BAR.x + (Math.min(value, total) / total) * BAR.width;
  const start = at(fetch.startMilliseconds);
  const middle = at(fetch.startMilliseconds + fetch.waitMilliseconds);
  const end = Math.max(at(fetch.endMilliseconds), start + 2);
  return (
    <g className="time">
      <rect className="all" {...BAR} />
      <rect className="wait" x={start} y={BAR.y} width={Math.max(middle - start, 0)} height={BAR.height} />
      <rect className="busy" x={middle} y={BAR.y} width={Math.max(end - middle, 2)} height={BAR.height} />
    </g>
  );
}

function Box({ fetch, x, y, total }) {
  const end = endOf(fetch);
  const [name, nameEn] = nameOf(fetch);
  const outline = end.look === "failed" ? OUTLINES.failed : OUTLINES.plain;
  return (
    <g
      className={`box ends-${end.look}`}
      transform={`translate(${x} ${y})`}
      tabIndex={0}
      role="img"
      aria-label={describe(fetch)}
      data-fetch={`${fetch.database}.${name}`}
      data-end={fetch.breakerOpen && !fetch.asked ? "SKIPPED" : (fetch.state ?? "")}
    >
      <title>{describe(fetch)}</title>
      <path className="outline" d={outline} />
      <text className={fetch.kind === "LIST" || fetch.kind === "VIEW" ? "name code" : "name"} x="12" y="19">
        {clip(name)}
        {nameEn && <tspan className="en">{` ${nameEn}`}</tspan>}
      </text>
      <text className="end" x="12" y="36">
        {end.sign} {end.vi}
        {end.en && <tspan className="en">{` ${end.en}`}</tspan>}
      </text>
      {linesOf(fetch).map((line, index) => (
        <text key={index} className="line" x="12" y={53 + index * 16}>
          {line}
        </text>
      ))}
      <Time {...{ fetch, total }} />
    </g>
  );
}

function LaneTitle({ database, y, schema }) {
  const title = titleOf(database, schema);
  if (!title) {
    return (
      <text x="12" y={y}>
        {database}
      </text>
    );
  }
  return (
    <text x="12" y={y}>
      {title.vi.replace(/^Cơ sở dữ liệu/, "CSDL")}
      {title.vi.length < LONGEST_TITLE && <tspan className="en">{` ${database}`}</tspan>}
      <title>{`${title.vi} / ${title.en}`}</title>
    </text>
  );
}

export function Drawing({ execution, schema }) {
  const { width, height, waves, lanes, boxes, lines } = place(execution.fetches);
  return (
    <div className="scroll drawing" tabIndex={0} role="region" aria-label="Hình vẽ kế hoạch / Drawing of the plan">
      <svg width={width} height={height} viewBox={`0 0 ${width} ${height}`} role="group" aria-label="Kế hoạch / Plan">
        <defs>
          <pattern id="waiting" width="4" height="4" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">
            <rect className="stripe" width="2" height="4" />
          </pattern>
        </defs>
        {lanes.map((lane) => (
          <g key={lane.database} className="lane" data-lane={lane.database}>
            <rect x="0" y={lane.y} width={width} height={lane.height} rx="8" />
            <LaneTitle database={lane.database} y={lane.y + 19} {...{ schema }} />
          </g>
        ))}
        {waves.map(({ wave, x }) => (
          <text key={wave} className="wave" x={x} y="26">
            Đợt {wave} <tspan className="en">wave {wave}</tspan>
          </text>
        ))}
        {lines.map(({ from, to }, index) => {
          const [x1, y1, x2, y2] = [from.x + W, from.y + H / 2, to.x, to.y + H / 2];
          const bend = (x2 - x1) / 2;
          return (
            <path
              key={index}
              className="lead"
              d={`M${x1} ${y1}C${x1 + bend} ${y1} ${x2 - bend} ${y2} ${x2} ${y2}`}
            />
          );
        })}
        {boxes.map((box, index) => (
          <Box key={index} {...box} total={execution.milliseconds} />
        ))}
      </svg>
    </div>
  );
}
