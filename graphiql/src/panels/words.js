/** The words of the panels, Vietnamese first, and the shapes that stand beside them. */
import { halves } from "../both.jsx";

/** How a read ended: a sign, words, and the look of its box (plan.css). */
export const ENDS = {
  ANSWERED: { sign: "✓", vi: "đã trả lời", en: "answered", look: "answered" },
  PARTIAL: { sign: "◐", vi: "đọc được một phần", en: "partial", look: "failed" },
  NOT_OPERATING: { sign: "–", vi: "chưa vận hành", en: "not operating", look: "failed" },
  WITHHELD: { sign: "§", vi: "luật không cho", en: "withheld", look: "denied" },
  DENIED: { sign: "⊘", vi: "không đủ quyền", en: "denied", look: "denied" },
  MAINTENANCE: { sign: "‖", vi: "đang bảo trì", en: "maintenance", look: "failed" },
  TIMED_OUT: { sign: "✕", vi: "quá giờ", en: "timed out", look: "failed" },
  UNAVAILABLE: { sign: "✕", vi: "không trả lời", en: "failed", look: "failed" },
  SKIPPED: { sign: "⊗", vi: "ngắt mạch, không hỏi", en: "breaker open", look: "failed" },
  NOT_READ: { sign: "·", vi: "không có gì để tra", en: "nothing to read", look: "unread" },
  INNER: { sign: "∴", vi: "tra cho phần này", en: "inner", look: "inner" },
};

/** Return how the read of an entry of extensions.execution ended. */
export function endOf(fetch) {
  if (fetch.breakerOpen && !fetch.asked) return ENDS.SKIPPED;
  if (fetch.state) return ENDS[fetch.state] ?? { ...ENDS.UNAVAILABLE, vi: fetch.state, en: "" };
  return isInner(fetch) ? ENDS.INNER : ENDS.NOT_READ;
}

/** Say whether an entry is of what is worked out of records that the caller need not see. */
export const isInner = (fetch) => !["NUMBERS", "LIST", "REPORT"].includes(fetch.kind);

const KINDS = {
  NUMBERS: ["xác định số", "numbers"],
  REPORT: ["tình trạng nguồn", "source report"],
  TIMELINE: ["dòng thời gian", "timeline"],
  VERIFICATION: ["đối chiếu", "verification"],
  CHECK: ["kiểm tra thủ tục", "check"],
};

/** Return what an entry reads: [vi, en]; a list and a view go by their names. */
export function nameOf(fetch) {
  if (fetch.kind === "LIST") return [fetch.lookup ?? fetch.records[0], ""];
  if (fetch.kind === "VIEW") return [fetch.paths[0].split(".").at(-1), ""];
  return KINDS[fetch.kind] ?? [fetch.kind, ""];
}

/** Return where the rows of an entry came from, in words; null where nothing was read. */
export function cacheOf(fetch) {
  const { keys, cachedKeys, staleKeys, cache } = fetch;
  if (!cache) return null;
  if (staleKeys) return { sign: "◔", vi: "dữ liệu cũ trong bộ đệm", en: "stale" };
  if (cache === "NOT_CACHED") return { sign: "○", vi: "không lưu đệm", en: "not cached" };
  if (cache === "BYPASSED") return { sign: "↷", vi: "không dùng bộ đệm", en: "cache bypassed" };
  if (!cachedKeys) return { sign: "○", vi: "ngoài bộ đệm", en: "miss" };
  if (cachedKeys >= keys) return { sign: "●", vi: "từ bộ đệm", en: "hit" };
  return { sign: "◑", vi: `${cachedKeys}/${keys} từ bộ đệm`, en: `${cachedKeys} of ${keys} hit` };
}

const FORMS = { ROWS: ["dòng", "rows"], JSON: ["JSON", "JSON"] };

/** Return in which form the rows came: [vi, en]; null where none were read. */
export const formOf = (fetch) => (fetch.asked || fetch.cachedKeys ? FORMS[fetch.form] : null);

/** Return how many rows the answer shows of an entry: [vi, en]; never 0 for what is not known. */
export function rowsOf(fetch) {
  if (!("rows" in fetch)) return ["", ""];
  if (fetch.rows === null) return fetch.places ? ["chưa rõ số dòng", "rows not known"] : ["", ""];
  const open = fetch.unanswered;
  return open
    ? [`${fetch.rows} dòng, ${open} chỗ chưa rõ`, `${fetch.rows} rows, ${open} not known`]
    : [`${fetch.rows} dòng`, fetch.rows === 1 ? "1 row" : `${fetch.rows} rows`];
}

/** Return milliseconds as text. */
export const ms = (value) =>
  Number.isFinite(value) ? `${value.toLocaleString("vi-VN", { maximumFractionDigits: 1 })} ms` : "";

const camel = (name) => name.replace(/_(\w)/g, (_, letter) => letter.toUpperCase());

/** Return the title of a database: { vi, en }, from the schema; null where that is not known. */
export function titleOf(database, schema) {
  const field = schema?.getType("Person")?.getFields()[camel(database)];
  const title = halves(field?.description);
  return title.en ? title : null;
}
