/** States of sources: a word, a shape and a colour each, so that none stands by colour alone. */
import { halves } from "../both.jsx";

const DENIED = ["DENIED", "WITHHELD"];

/** Return the kind of a state: "answered", "denied" or "unknown"; all else than those two is unknown. */
export function kindOf(state) {
  if (state === "ANSWERED") return "answered";
  return DENIED.includes(state) ? "denied" : "unknown";
}

const SHAPES = {
  answered: <path d="M8 1a7 7 0 1 0 0 14A7 7 0 0 0 8 1zm-1 10.2L3.8 8l1.1-1.1L7 9l4.1-4.1L12.2 6z" />,
  unknown: <path d="M8 1 .8 14.5h14.4zm-.8 5h1.6v4.5H7.2zm0 5.7h1.6v1.5H7.2z" />,
  denied: <path d="M1.5 1.5h13v13h-13zM4 7v2h8V7z" />,
};

/** The shape of a kind of state, for a reader who sees it: the word stands beside it. */
export const Shape = ({ kind }) => (
  <svg className={`shape ${kind}`} viewBox="0 0 16 16" aria-hidden="true">
    {SHAPES[kind]}
  </svg>
);

/** Return the words of a state: those of the schema, else its name. */
export function wordsOf(state, schema) {
  const value = schema?.getType("State")?.getValue(state);
  const { vi, en } = halves(value?.description);
  return { vi: vi || state, en: en || state };
}

/** A state with its shape and words; `code` shows its name too. */
export function State({ state, schema, code = true }) {
  const { vi, en } = wordsOf(state, schema);
  return (
    <span className={`state ${kindOf(state)}`} title={`${vi} / ${en}`}>
      <Shape kind={kindOf(state)} />
      {vi}
      {code && <code>{state}</code>}
    </span>
  );
}
