/** What was run in this browser tab, newest first; gone when it is closed. */
import { useGraphiQL } from "@graphiql/react";
import { Empty } from "../panels/empty.jsx";

export const LENGTH = 20;

export function History({ entries, onPick }) {
  const ready = useGraphiQL((state) => Boolean(state.queryEditor && state.variableEditor));
  if (entries.length === 0) {
    return <Empty vi="Chưa chạy truy vấn nào." en="Nothing was run yet." />;
  }
  return (
    <ol className="runs">
      {entries.map((entry) => (
        <li key={entry.at}>
          <button type="button" disabled={!ready} onClick={() => onPick(entry)}>
            <b>{/(query|\{)\s*(\w*)/.exec(entry.query)?.[2] || "…"}</b>
            <small>{new Date(entry.at).toLocaleTimeString("vi-VN")}</small>
            <code>{entry.query.replaceAll(/\s+/g, " ").slice(0, 120)}</code>
          </button>
        </li>
      ))}
    </ol>
  );
}
