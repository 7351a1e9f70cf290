/** Any list of the answer as a table, with its state; as CSV where it names nobody. */
import { useMemo, useState } from "react";
import { Both, halves } from "../both.jsx";
import { namesNobody } from "../schema.js";
import { csv, save } from "./csv.js";
import { Empty } from "./empty.jsx";
import { errorOfCell, errorsAt, findLists, valueAt } from "./lists.js";
import { kindOf, Shape, State, wordsOf } from "./states.jsx";

/** So many places of an error are named; their number is told. */
const PLACES = 5;
const ORDER = new Intl.Collator("vi", { numeric: true });
const nameOf = (path) =>
  path.map((key) => (typeof key === "number" ? `[${key + 1}]` : key)).join(" › ").replaceAll(" › [", " [");

/** Compare two cells; what is not there stands last, whichever way the order goes. */
function compare(one, other, sign) {
  const absent = [one, other].map((value) => value === null || value === undefined);
  if (absent[0] || absent[1]) return absent[0] - absent[1];
  if (typeof one === "number" && typeof other === "number") return sign * (one - other);
  return sign * ORDER.compare(String(one), String(other));
}

/** Return a nested list as { state, count }: what of it fits into a cell. `count` null: not known. */
function nested(value) {
  if (Array.isArray(value)) return { state: null, count: value.length };
  const items = value?.items ?? (value?.item ? [value.item] : value?.exists === false ? [] : null);
  return { state: value?.source?.state ?? null, count: items ? items.length : null };
}

/** Why a cell is null, in a word and a shape. `title`: more of it. */
function Unknown({ code, title }) {
  const kind = code === "FORBIDDEN" ? "denied" : "unknown";
  return (
    <span className={`state ${kind}`} title={title}>
      <Shape kind={kind} />
      {kind === "denied" ? "không đủ quyền" : "chưa biết"}
      {code && <code>{code}</code>}
    </span>
  );
}

/** One value of a row. `rowPath`: its place in the answer, by which an error tells why it is null. */
function Cell({ row, column, rowPath, answer, schema }) {
  const value = valueAt(row, column.path);
  if (column.kind === "list") {
    const { state, count } = nested(value);
    const badge = state && state !== "ANSWERED" && <State {...{ state, schema }} code={false} />;
    if (count !== null || badge) {
      return (
        <>
          {count} {badge}
        </>
      );
    }
  }
  if (Array.isArray(value)) return value.join(", ");
  if (value !== null && value !== undefined && typeof value !== "object") return String(value);
  const error = errorOfCell(answer, rowPath, column.path);
  if (error) return <Unknown code={error.extensions?.code} title={error.message} />;
  if (column.kind === "list") return <Unknown title="null" />;
  const nothing = "Câu trả lời không có giá trị này / The answer has no such value";
  return (
    <span className="absent" title={column.description ?? nothing}>
      null
    </span>
  );
}

/** Why parts of an answer are missing: each reason once, with its places. */
function Reasons({ errors }) {
  const byReason = new Map();
  for (const { message, path, extensions } of errors) {
    const { code, messageVi, missing } = extensions ?? {};
    const key = [code, messageVi ?? message, ...(missing ?? [])].join(" ");
    const known = byReason.get(key) ?? { message, extensions, places: [] };
    if (path) known.places.push(nameOf(path) + (extensions?.count > 1 ? ` ×${extensions.count}` : ""));
    byReason.set(key, known);
  }
  return (
    <ul className="reasons">
      {[...byReason].map(([key, { message, extensions, places }]) => {
        const kind = extensions?.code === "FORBIDDEN" ? "denied" : "unknown";
        return (
          <li key={key} className={kind}>
            <Shape kind={kind} />
            <span>
              <code>{extensions?.code}</code>{" "}
              <Both vi={extensions?.messageVi ?? message} en={extensions?.messageVi && message} />
              {extensions?.missing && <small>← {extensions.missing.join(", ")}</small>}
              {places.length > 0 && (
                <small>
                  {places.slice(0, PLACES).join(" · ")}
                  {places.length > PLACES && ` … +${places.length - PLACES}`}
                </small>
              )}
            </span>
          </li>
        );
      })}
    </ul>
  );
}

function Notices({ notices }) {
  return (
    <ul className="reasons">
      {notices.map(({ code, message, path }, index) => (
        <li key={index} className="unknown">
          <Shape kind="unknown" />
          <span>
            <code>{code}</code> <Both vi={message?.vi} en={message?.en} />
            {path && <small>{nameOf(path)}</small>}
          </span>
        </li>
      ))}
    </ul>
  );
}

/** Say what a list without rows means: none, or not known. */
function WithoutRows({ list, schema }) {
  if (list.rows) {
    const isNone = list.state === null || list.state === "ANSWERED";
    return isNone ? (
      <Empty
        vi="Không có bản ghi nào trong phạm vi của nguồn."
        en="There is no record, within what the source covers."
      />
    ) : (
      <Empty vi="Chưa biết có bản ghi hay không." en="It is not known whether there are records." />
    );
  }
  const { vi, en } = list.state ? wordsOf(list.state, schema) : {};
  if (list.state && list.state !== "ANSWERED") {
    return (
      <Empty
        vi={`Không biết có bản ghi hay không: ${vi}.`}
        en={`Not known whether there are records: ${en}.`}
      />
    );
  }
  return (
    <Empty
      vi={`Không biết có bản ghi hay không: ${nameOf(list.missingAt) || "data"} là null. Hỏi thêm source { state } để biết vì sao.`}
      en={`Not known whether there are records: ${nameOf(list.missingAt) || "data"} is null. Select source { state } to know why.`}
    />
  );
}

function Rows({ list, answer, schema, sort, setSort }) {
  const rows = list.rows.map((row, index) => ({ row, index }));
  if (sort) {
    rows.sort((one, other) => {
      const values = [one, other].map(({ row }) => {
        const value = valueAt(row, sort.path);
        return value && typeof value === "object" ? nested(value).count : value;
      });
      return compare(...values, sort.sign) || one.index - other.index;
    });
  }
  const isBy = (column) => sort && sort.path.join(".") === column.path.join(".");
  const turn = (column) => {
    if (!isBy(column)) setSort({ path: column.path, sign: 1 });
    else setSort(sort.sign === 1 ? { ...sort, sign: -1 } : null);
  };
  const columnOrder = (column) =>
    isBy(column) ? (sort.sign === 1 ? "ascending" : "descending") : "none";
  return (
    <div className="scroll" tabIndex="0" role="region" aria-label="Bảng / Table">
      <table>
        <thead>
          <tr>
            <th scope="col">#</th>
            {list.columns.map((column) => (
              <th key={column.path.join(".")} scope="col" aria-sort={columnOrder(column)}>
                <button type="button" title={column.description} onClick={() => turn(column)}>
                  {column.path.join(".")}
                  <span aria-hidden="true">
                    {{ ascending: " ▲", descending: " ▼", none: "" }[columnOrder(column)]}
                  </span>
                </button>
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map(({ row, index }) => (
            <tr key={index}>
              <td>{index + 1}</td>
              {list.columns.map((column) => (
                <td key={column.path.join(".")}>
                  <Cell
                    {...{ row, column, answer, schema }}
                    rowPath={list.rowPath(index)}
                  />
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

/** Offer a list as CSV, or say why it is not offered. */
function Download({ list, answer, schema }) {
  if (!namesNobody(schema, list.root)) {
    return (
      <p className="note" data-csv="refused">
        <Both
          vi="Không tải được CSV: danh sách này có thể nêu tên người."
          en="No CSV: this list may name persons."
        />
      </p>
    );
  }
  const download = () => {
    const about = [
      ["danh sách / list", nameOf(list.path)],
      ["trạng thái / state", list.state ?? "không hỏi / not asked"],
      ["thời điểm / as of", list.asOf ?? ""],
      ["còn nữa / truncated", list.truncated ?? "không hỏi / not asked"],
      ["lỗi / errors", errorsAt(answer, list.path).length],
      ["ô trống / empty cell", "không biết hoặc được ẩn, không phải 0 / not known or hidden, not 0"],
    ];
    const names = list.columns.map(({ path }) => path.join("."));
    const rows = list.rows.map((row) => list.columns.map(({ path }) => valueAt(row, path)));
    save(csv(about, names, rows), `${list.path.filter((key) => typeof key === "string").join("-")}.csv`);
  };
  return (
    <button type="button" className="button" data-csv="offered" onClick={download}>
      <Both vi="Tải CSV" en="Download CSV" />
    </button>
  );
}

/** Return what a list says in the choice of lists: words, and a sign that needs no colour. */
function labelOf(list, schema) {
  const sign = { answered: "●", unknown: "▲", denied: "■" };
  const count = list.rows ? `(${list.rows.length}${list.truncated ? "+" : ""})` : "";
  if (!list.state) return `${nameOf(list.path)} ${list.rows ? count : "▲ null"}`;
  return `${nameOf(list.path)} ${count} ${sign[kindOf(list.state)]} ${wordsOf(list.state, schema).vi}`;
}

export function Table({ answer, request, schema }) {
  const lists = useMemo(
    () => (answer ? findLists({ answer, request, schema }) : []),
    [answer, request, schema],
  );
  const [choice, setChoice] = useState(null);
  const [sort, setSort] = useState(null);
  if (!answer) return <Empty vi="Chưa có câu trả lời." en="No answer yet." />;
  const notices = answer.extensions?.notices ?? [];
  const fullest = lists.find(({ rows }) => rows?.length) ?? lists[0];
  const list = lists.find(({ path }) => nameOf(path) === choice) ?? fullest;
  const errors = list ? errorsAt(answer, list.path) : (answer.errors ?? []);
  const type = list && schema ? halves(schema.getQueryType()?.getFields()[list.root]?.description) : {};
  return (
    <div className="lists">
      {list ? (
        <>
          <div className="choice">
            <label>
              <span>
                <Both vi="Danh sách" en="List" />
              </span>
              <select
                name="list"
                value={nameOf(list.path)}
                title={type.vi}
                onChange={(event) => {
                  setChoice(event.target.value);
                  setSort(null);
                }}
              >
                {lists.map((other) => (
                  <option key={nameOf(other.path)} value={nameOf(other.path)}>
                    {labelOf(other, schema)}
                  </option>
                ))}
              </select>
            </label>
            {list.state && <State state={list.state} schema={schema} />}
            {list.asOf && <small>asOf {list.asOf}</small>}
          </div>
          {(list.truncated || list.next) && (
            <p className="note">
              <Both
                vi="Còn bản ghi không hiện ở đây."
                en="There are more records than are shown here."
              />
            </p>
          )}
          {list.rows?.length ? (
            <>
              <Rows {...{ list, answer, schema, sort, setSort }} />
              <Download {...{ list, answer, schema }} />
            </>
          ) : (
            <WithoutRows {...{ list, schema }} />
          )}
        </>
      ) : (
        <Empty vi="Câu trả lời này không có danh sách." en="This answer has no list." />
      )}
      {errors.length > 0 && <Reasons errors={errors} />}
      {notices.length > 0 && <Notices notices={notices} />}
    </div>
  );
}
