/** The answer as it came, in an editor that cannot be typed in: it folds and searches. */
import { createEditor, getOrCreateModel, useMonaco } from "@graphiql/react";
import { useEffect, useRef } from "react";
import { Both } from "../both.jsx";
import { Empty } from "./empty.jsx";

const LABEL = "Câu trả lời / Answer";

function Viewer({ text }) {
  const place = useRef(null);
  const viewer = useRef(null);
  const monaco = useMonaco((state) => state.monaco);
  useEffect(() => {
    if (!monaco) return undefined;
    const model = getOrCreateModel({ uri: "answer.json", value: "" });
    viewer.current = createEditor(place, {
      model,
      readOnly: true,
      lineNumbers: "off",
      wordWrap: "on",
      contextmenu: false,
      fontSize: 13,
      fontFamily: "var(--mono)",
      ariaLabel: LABEL,
    });
    return () => {
      viewer.current.dispose();
      model.dispose();
    };
  }, [monaco]);
  useEffect(() => {
    viewer.current?.setValue(text);
  }, [monaco, text]);
  return <section ref={place} className="result-window" aria-label={LABEL} />;
}

/** The exchange of the tab at hand: its answer, or why there is none. */
export function Json({ exchange, isPending }) {
  if (isPending) return <Empty vi="Đang chờ câu trả lời …" en="Waiting for the answer …" />;
  if (!exchange) {
    return (
      <Empty
        vi="Nhấn Chạy hoặc Ctrl+Enter để có câu trả lời."
        en="Press Run or Ctrl+Enter for an answer."
      />
    );
  }
  if (!exchange.problem) return <Viewer text={exchange.text} />;
  return (
    <p className="problem" role="alert">
      <Both {...exchange.problem} />
      <code>{exchange.detail}</code>
    </p>
  );
}
