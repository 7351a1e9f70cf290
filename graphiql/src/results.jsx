/**
 * The side of the answer: tabs over panels, each a file in panels/.
 *
 * A panel gets { answer, request, who, schema, document }:
 * - answer: the last answer of this editor tab, parsed, or null;
 * - request: what brought it: { query, variables, operationName, who, sentAt, milliseconds }, or null;
 * - who: the caller now: { token, purpose, caseNumber };
 * - schema: a GraphQLSchema, or null where the caller may not read it;
 * - document: the editors' text now: { query, variables }, both as typed.
 *
 * Panels are mounted only while they are shown.
 */
import { useGraphiQL } from "@graphiql/react";
import { useEffect, useRef, useState } from "react";
import { Access } from "./panels/access.jsx";
import { Plan } from "./panels/plan.jsx";
import { Table } from "./panels/table.jsx";

const TABS = [
  { key: "json", vi: "Kết quả", en: "Result" },
  { key: "table", vi: "Bảng", en: "Table", Panel: Table },
  { key: "plan", vi: "Kế hoạch", en: "Plan", Panel: Plan },
  { key: "access", vi: "Quyền", en: "Access", Panel: Access },
];
const TYPING_MILLISECONDS = 300;

/** Return the text of an editor, a moment after it was last changed. */
function useText(editor) {
  const [text, setText] = useState("");
  useEffect(() => {
    if (!editor) return undefined;
    let timer;
    setText(editor.getValue());
    const subscription = editor.onDidChangeModelContent(() => {
      clearTimeout(timer);
      timer = setTimeout(() => setText(editor.getValue()), TYPING_MILLISECONDS);
    });
    return () => {
      clearTimeout(timer);
      subscription.dispose();
    };
  }, [editor]);
  return text;
}

export function Results({ exchange, who, schema }) {
  const [current, setCurrent] = useState("json");
  const tabs = useRef({});
  const { queryEditor, variableEditor } = useGraphiQL((state) => ({
    queryEditor: state.queryEditor,
    variableEditor: state.variableEditor,
  }));
  const document = { query: useText(queryEditor), variables: useText(variableEditor) };
  const Panel = TABS.find((tab) => tab.key === current).Panel;

  const move = (event) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!step) return;
    const index = TABS.findIndex((tab) => tab.key === current);
    const { key } = TABS[(index + step + TABS.length) % TABS.length];
    setCurrent(key);
    tabs.current[key].focus();
  };
  return (
    <div className="results">
      <div role="tablist" aria-label="Câu trả lời / Answer" className="tabs" onKeyDown={move}>
        {TABS.map(({ key, vi, en }) => (
          <button
            key={key}
            ref={(element) => {
              tabs.current[key] = element;
            }}
            type="button"
            role="tab"
            id={`tab-${key}`}
            data-tab={key}
            aria-selected={key === current}
            aria-controls={key === current && key !== "json" ? "panel" : undefined}
            tabIndex={key === current ? 0 : -1}
            onClick={() => setCurrent(key)}
          >
            {vi} <span lang="en">{en}</span>
          </button>
        ))}
      </div>
      {Panel && (
        <div role="tabpanel" id="panel" className={`panel ${current}`} aria-labelledby={`tab-${current}`}>
          <Panel
            answer={exchange?.answer ?? null}
            request={exchange?.request ?? null}
            {...{ who, schema, document }}
          />
        </div>
      )}
    </div>
  );
}
