/** Scopes in words. Their grammar is in docs/how-to/issue-a-token.md. */

export const LEVELS = {
  read: ["công khai, cơ bản", "public, basic"],
  sensitive: ["nhạy cảm", "sensitive"],
  restricted: ["hạn chế", "restricted"],
  find: ["tìm theo tài sản, số đăng ký", "find by thing"],
  verify: ["đối chiếu", "verify"],
  invalidate: ["xóa bộ đệm", "invalidate"],
};
const OTHERS = {
  me: ["dữ liệu của chính công dân", "the citizen's own view"],
  introspect: ["xem lược đồ", "the schema"],
  plans: ["xem kế hoạch, chi phí", "plans and costs"],
  statistics: ["thống kê", "statistics"],
  operate: ["vận hành cổng", "operating the gateway"],
  "metrics:read": ["số đo vận hành", "metrics"],
  "audit:read": ["nhật ký truy cập của người khác", "others' access logs"],
  "procedures:check": ["kiểm tra điều kiện thủ tục", "checking procedures"],
};
const FACTS = "person";

/**
 * Sort `scopes` into what they open: { databases, others }.
 *
 * databases: [{ name, title, parts: [{ record, title, levels }] }], record null for all records;
 * others: [{ scope, words }], words null for a scope that is not known here.
 */
export function sortScopes(scopes, databases) {
  const known = { [FACTS]: { title: { vi: "Dữ kiện về người", en: "Facts about a person" }, records: [] } };
  for (const database of databases) known[database.name] = database;
  const opened = {};
  const others = [];
  for (const scope of scopes) {
    const [where, level] = scope.split(":");
    const [name, record = null] = where.split(".");
    if (OTHERS[scope] || !LEVELS[level] || (databases.length && !known[name])) {
      others.push({ scope, words: OTHERS[scope] ?? null });
      continue;
    }
    const parts = (opened[name] ??= {});
    (parts[record ?? ""] ??= { record, levels: [] }).levels.push(level);
  }
  const order = Object.keys(LEVELS);
  const titleOf = (name, record) =>
    known[name]?.records?.find((kind) => kind.name === record)?.title ?? null;
  return {
    databases: Object.entries(opened).map(([name, parts]) => ({
      name,
      title: known[name]?.title ?? null,
      parts: Object.values(parts).map(({ record, levels }) => ({
        record,
        title: titleOf(name, record),
        levels: levels.sort((a, b) => order.indexOf(a) - order.indexOf(b)),
      })),
    })),
    others,
  };
}
