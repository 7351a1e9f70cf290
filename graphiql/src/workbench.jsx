/** What lies below the bar: a pane to build with, the editors, and the answer. */
import {
  QueryEditor,
  useGraphiQL,
  useMonaco,
  VariableEditor,
} from "@graphiql/react";
import { lazy, Suspense, useEffect, useState, useSyncExternalStore } from "react";
import { Both } from "./both.jsx";
import { OperationTabs } from "./operation_tabs.jsx";
import { Build } from "./panes/build.jsx";
import { History } from "./panes/history.jsx";
import { Empty } from "./panels/empty.jsx";
import { Results } from "./results.jsx";
import { replaceText } from "./panes/text.js";
import { Splitter, useSplit } from "./splitter.jsx";
import { useRemembered } from "./storage.js";
import { tidyDocument, tidyVariables } from "./tidy.js";

const Docs = lazy(() => import("./panes/docs.jsx"));

const PANES = [
  { key: "build", vi: "Dựng", en: "Build" },
  { key: "docs", vi: "Tài liệu", en: "Docs" },
  { key: "history", vi: "Lịch sử", en: "History" },
];
/** On a phone the page shows one part at a time: these, or a pane. */
const PARTS = [
  { key: "query", vi: "Truy vấn", en: "Query" },
  { key: "results", vi: "Kết quả", en: "Result" },
];
const FONT = '"Cascadia Mono", Menlo, Consolas, "DejaVu Sans Mono", monospace';

const narrow = matchMedia("(max-width: 820px)");
const useNarrow = () =>
  useSyncExternalStore(
    (onChange) => {
      narrow.addEventListener("change", onChange);
      return () => narrow.removeEventListener("change", onChange);
    },
    () => narrow.matches,
  );

const useEditors = () =>
  useGraphiQL((state) => ({ query: state.queryEditor, variables: state.variableEditor }));

/** Lay out what an editor holds; what cannot be parsed stays as it is: the editor marks it. */
async function tidyEditor(editor, layOut) {
  const text = editor?.getValue() ?? "";
  if (!text.trim()) return;
  try {
    replaceText(editor, await layOut(text));
  } catch {
    editor.focus();
  }
}

/** Give the editors the page's face and names. */
function useEditorOptions() {
  const editors = useEditors();
  useEffect(() => {
    const options = { fontFamily: FONT, fontSize: 13.5, fixedOverflowWidgets: true };
    editors.query?.updateOptions({ ...options, ariaLabel: "Truy vấn / Query" });
    editors.variables?.updateOptions({ ...options, ariaLabel: "Biến / Variables" });
  }, [editors.query, editors.variables]);
}

/** Which operation of the document is meant, where it has several. */
const Operations = ({ names, operationName, onChoose }) => (
  <select
    name="operation"
    aria-label="Thao tác / Operation"
    value={operationName}
    onChange={(event) => onChoose(event.target.value)}
  >
    {names.map((name) => (
      <option key={name} value={name}>
        {name}
      </option>
    ))}
  </select>
);

function Editors({ run, stop, tidy, isPending, operations, published, onReference }) {
  const hasMonaco = useMonaco((state) => Boolean(state.monaco));
  const [share, splitter] = useSplit("split-variables", 72);
  useEditorOptions();
  return (
    <section className="editors" aria-label="Truy vấn / Query">
      <div className="strip">
        <OperationTabs />
      </div>
      <div className="strip actions">
        {isPending ? (
          <button type="button" className="button go run" onClick={stop}>
            ■ <Both vi="Dừng" en="Stop" />
          </button>
        ) : (
          <button type="button" className="button go run" title="Ctrl+Enter" onClick={run}>
            ▶ <Both vi="Chạy" en="Run" />
          </button>
        )}
        {operations.names.length > 1 && <Operations {...operations} />}
        {published && (
          <span className="note">
            <Both vi="thao tác công bố" en="published operation" /> <code>{published}</code>
          </span>
        )}
        <button type="button" className="button tidy" title="Shift+Ctrl+P" onClick={tidy}>
          <Both vi="Làm gọn" en="Prettify" />
        </button>
      </div>
      <div className="stack" style={{ gridTemplateRows: `${share}fr auto ${100 - share}fr` }}>
        <div className="editor query">
          {hasMonaco && <QueryEditor onClickReference={onReference} />}
        </div>
        <Splitter {...splitter} label="Cỡ của biến / Size of the variables" />
        <div className="editor variables">
          <h2>
            <Both vi="Biến" en="Variables" />
          </h2>
          <div className="place">{hasMonaco && <VariableEditor />}</div>
        </div>
      </div>
    </section>
  );
}

export function Workbench(props) {
  const { schema, who, demo, persons, exchanges, operations, history, isStarting, ...rest } = props;
  const { exchange, isPending, run, stop } = exchanges;
  const [pane, setPane] = useRemembered("pane", "build");
  const [part, setPart] = useState("query");
  const [share, splitter] = useSplit("split-results", 50);
  const isNarrow = useNarrow();
  const open = (key) => {
    const isOpen = pane === key && (!isNarrow || part === "pane");
    if (!isNarrow) setPane(isOpen ? "" : key);
    else {
      setPane(key);
      setPart(isOpen ? "query" : "pane");
    }
  };
  const runHere = () => {
    if (isNarrow) setPart("results");
    run();
  };
  const editors = useEditors();
  const tidy = () => {
    tidyEditor(editors.query, tidyDocument);
    tidyEditor(editors.variables, tidyVariables);
  };
  const onKeyDown = (event) => {
    const isControl = event.ctrlKey || event.metaKey;
    const act =
      (isControl && event.key === "Enter" && runHere) ||
      (isControl && event.shiftKey && event.key.toLowerCase() === "p" && tidy);
    if (!act) return;
    event.preventDefault();
    event.stopPropagation();
    act();
  };
  const shown = PANES.find(({ key }) => key === pane);
  const isPressed = (key) => pane === key && (!isNarrow || part === "pane");
  return (
    <main className="graphiql-container" data-part={part} onKeyDownCapture={onKeyDown}>
      <nav className="panes" aria-label="Phần của trang / Parts of the page">
        {PANES.map(({ key, vi, en }) => (
          <button
            key={key}
            type="button"
            data-pane={key}
            aria-pressed={isPressed(key)}
            onClick={() => open(key)}
          >
            <Both vi={vi} en={en} />
          </button>
        ))}
        {isNarrow &&
          PARTS.map(({ key, vi, en }) => (
            <button
              key={key}
              type="button"
              data-part={key}
              aria-pressed={part === key}
              onClick={() => setPart(key)}
            >
              <Both vi={vi} en={en} />
            </button>
          ))}
      </nav>
      {shown && (
        <section className={`pane ${pane}`} aria-label={`${shown.vi} / ${shown.en}`}>
          {pane === "build" && (
            <Build
              {...{ schema, persons, isStarting }}
              personas={demo?.personas ?? []}
              operationName={operations.operationName}
            />
          )}
          {pane === "docs" && (
            <Suspense fallback={<Empty vi="Đang tải …" en="Loading …" />}>
              <Docs />
            </Suspense>
          )}
          {pane === "history" && (
            <History
              entries={history.entries}
              onPick={(entry) => {
                history.onPick(entry);
                setPart("query");
              }}
            />
          )}
        </section>
      )}
      <div
        className="desk"
        style={{ gridTemplateColumns: `minmax(0, ${share}fr) auto minmax(0, ${100 - share}fr)` }}
      >
        <Editors
          {...{ stop, tidy, isPending, operations }}
          {...rest}
          run={runHere}
          onReference={() => {
            setPane("docs");
            if (isNarrow) setPart("pane");
          }}
        />
        <Splitter {...splitter} vertical label="Cỡ của câu trả lời / Size of the answer" />
        <Results {...{ exchange, isPending, who, schema }} />
      </div>
    </main>
  );
}
