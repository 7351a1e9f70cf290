/**
 * The side of the answer: tabs over panels, each a file in panels/.
 *
 * A panel gets { answer, request, who, schema, document }:
 * - answer: the last answer of this editor tab, parsed, or null;
 * - request: what brought it: { query, variables, operationName, documentId, who, sentAt, milliseconds },
 *   or null;
 * - who: the caller now: { token, purpose, caseNumber };
 * - schema: a GraphQLSchema, or null where the caller may not read it;
 * - document: the editors' text now: { query, variables }, both as typed.
 *
 * Panels are mounted only while they are shown, and never see an answer of another caller.
 */
import { useGraphiQL } from "@graphiql/react";
import { useEffect, useMemo, useRef, useState } from "react";
import { Both } from "./both.jsx";
import { Access } from "./panels/access.jsx";
import { Json } from "./panels/json.jsx";
import { Plan } from "./panels/plan.jsx";
import { Table } from "./panels/table.jsx";

const TABS = [
  { key: "json", vi: "Kết quả", en: "Result", Panel: Json },
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

/** Say what the exchange was: status, time, and for whom. */
function About({ exchange }) {
  if (!exchange?.answer) return null;
  const { status, request } = exchange;
  const errors = exchange.answer.errors?.length ?? 0;
  return (
    <div className="about">
      {errors > 0 && (
        <b className="wrong">
          ▲ {errors} lỗi <span lang="en">errors</span> ·{" "}
        </b>
      )}
      HTTP {status} · {request.milliseconds} ms · {request.sentAt.toLocaleTimeString("vi-VN")}
      {request.documentId && ` · ${request.documentId}`}
    </div>
  );
}

export function Results({ exchange, isPending, who, schema }) {
  const [current, setCurrent] = useState("json");
  const tabs = useRef({});
  const { queryEditor, variableEditor } = useGraphiQL((state) => ({
    queryEditor: state.queryEditor,
    variableEditor: state.variableEditor,
  }));
  const query = useText(queryEditor);
  const variables = useText(variableEditor);
  const document = useMemo(() => ({ query, variables }), [query, variables]);
  const { Panel } = TABS.find((tab) => tab.key === current);
  const hasAnswer = Boolean(exchange?.answer);

  const move = (event) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!step) return;
    const index = TABS.findIndex((tab) => tab.key === current);
    const { key } = TABS[(index + step + TABS.length) % TABS.length];
    setCurrent(key);
    tabs.current[key].focus();
  };
  return (
    <section className="results" aria-label="Câu trả lời / Answer">
      <div className="strip">
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
              aria-controls="panel"
              tabIndex={key === current ? 0 : -1}
              onClick={() => setCurrent(key)}
            >
              <Both vi={vi} en={en} />
            </button>
          ))}
        </div>
      </div>
      <div
        role="tabpanel"
        id="panel"
        className={`panel ${current}`}
        aria-labelledby={`tab-${current}`}
        aria-busy={isPending}
        tabIndex="0"
      >
        <Panel
          answer={exchange?.answer ?? null}
          request={hasAnswer ? exchange.request : null}
          {...{ who, schema, document }}
          {...(current === "json" && { exchange, isPending })}
        />
      </div>
      <About exchange={exchange} />
      <p className="hidden" role="status">
        {isPending && "Đang chờ câu trả lời"}
        {!isPending && hasAnswer && "Đã có câu trả lời"}
      </p>
    </section>
  );
}
