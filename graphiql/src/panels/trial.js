/** What the access panel asks the gateway: what a token permits, and dry runs of a document. */
import { parse, validate } from "graphql";
import { useEffect, useMemo, useRef, useState } from "react";
import { ask, callOperation, signedIn } from "../gateway.js";

const PERMITS = `query Permits {
  myAccess { client agency expiresAt scopes seesOwnView actsForAnother
    purposes { code title { vi en } } }
  databases { name title { vi en } records { name title { vi en } } } }`;
const TRIAL = `query Trial($document: String!, $operation: String) { myAccess {
  trial(document: $document, operationName: $operation) {
    code message { vi en } cost { atMost limit dependsOnVariables }
    denied { path line state missing reasons { vi en }
      grantors { database owner { vi en } contact } } } } }`;

/** The editor's text comes 0.3 s after the last key: 0.4 s in all, and at most one a second. */
const PAUSE = 100;
const APART = 1000;
const AGAIN = 10_000;

const codeOf = (answer) => answer.errors?.[0]?.extensions?.code;

/** Return the access of `who`: { state: "loading" | "known" | "failed", ... }. */
export function usePermits({ token, purpose, caseNumber }) {
  const [permits, setPermits] = useState({ state: "loading" });
  useEffect(() => {
    if (!token && !signedIn) return undefined;
    const stop = new AbortController();
    setPermits({ state: "loading" });
    askPermits({ token, purpose, caseNumber }, stop.signal).then(setPermits, (error) => {
      if (!stop.signal.aborted) setPermits({ state: "failed", code: error.message });
    });
    return () => stop.abort();
  }, [token, purpose, caseNumber]);
  return permits;
}

async function askPermits(who, signal) {
  let answer = await ask({ query: PERMITS, operationName: "Permits" }, who, signal);
  const publishedOnly = codeOf(answer) === "PUBLISHED_ONLY";
  // It may call published operations only: one of them says the same, without the catalogue.
  if (publishedOnly) answer = await callOperation("my-access", who, signal);
  if (!answer.data?.myAccess) {
    return { state: "failed", code: codeOf(answer), error: answer.errors?.[0], publishedOnly };
  }
  const { myAccess, databases = [] } = answer.data;
  return { state: "known", access: myAccess, databases, publishedOnly };
}

/** Return the operation to try: { name }, or { fault } where the text is no valid document. */
function operationOf(text, schema, selected) {
  let document;
  try {
    document = parse(text);
  } catch {
    return { fault: text.trim() ? "syntax" : "empty" };
  }
  if (schema && validate(schema, document).length) return { fault: "schema" };
  const names = document.definitions
    .filter((definition) => definition.kind === "OperationDefinition")
    .map((definition) => definition.name?.value);
  return { name: names.includes(selected) ? selected : names[0] };
}

/**
 * Return the dry run of the document as it stands in the editor.
 *
 * { state: "empty" | "syntax" | "schema" | "waiting" | "known" | "failed", trial, name }. While
 * another is under way, `trial` is the last known one, which no longer holds.
 */
export function useTrial({ text, schema, who, selected, enabled }) {
  const [result, setResult] = useState({ state: "waiting" });
  const [round, setRound] = useState(0);
  const sentAt = useRef(-APART);
  const { token, purpose, caseNumber } = who;
  const { fault, name } = useMemo(
    () => operationOf(text, schema, selected),
    [text, schema, selected],
  );
  useEffect(() => {
    if (!enabled) return undefined;
    if (fault) {
      setResult({ state: fault });
      return undefined;
    }
    setResult((last) => ({ state: "waiting", trial: last.trial, name }));
    const stop = new AbortController();
    let again;
    const run = async () => {
      sentAt.current = performance.now();
      const variables = { document: text, operation: name };
      const request = { query: TRIAL, operationName: "Trial", variables };
      const answer = await ask(request, { token, purpose, caseNumber }, stop.signal);
      const trial = answer.data?.myAccess?.trial;
      if (trial?.code === "TOO_MANY_DOCUMENTS") {
        again = setTimeout(() => setRound((count) => count + 1), AGAIN);
      }
      setResult(
        trial
          ? { state: "known", trial, name }
          : { state: "failed", code: codeOf(answer), error: answer.errors?.[0] },
      );
    };
    const fail = (error) => {
      if (!stop.signal.aborted) setResult({ state: "failed", code: error.message });
    };
    const pause = Math.max(PAUSE, sentAt.current + APART - performance.now());
    const timer = setTimeout(() => run().catch(fail), pause);
    return () => {
      stop.abort();
      clearTimeout(timer);
      clearTimeout(again);
    };
  }, [text, fault, name, token, purpose, caseNumber, enabled, round]);
  return result;
}
