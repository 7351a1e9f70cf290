/** What was sent and what came back, for each editor tab. */
import { tryParseJSONC, useGraphiQL } from "@graphiql/react";
import { Kind, parse } from "graphql";
import { useEffect, useRef, useState } from "react";
import { claims, send, signedIn } from "./gateway.js";

const UNREACHABLE = {
  vi: "Không nhận được câu trả lời của cổng.",
  en: "No answer came from the gateway.",
};
const BAD_VARIABLES = { vi: "Biến không phải JSON hợp lệ.", en: "The variables are no valid JSON." };

/** Return the names of the operations in `query`; [] for what cannot be parsed. */
export function operationNames(query) {
  try {
    return parse(query)
      .definitions.filter((definition) => definition.kind === Kind.OPERATION_DEFINITION)
      .map((definition) => definition.name?.value);
  } catch {
    return [];
  }
}

/** Return an answer without its plan, which is drawn in a panel and would hide the rest here. */
function withoutPlan(answer) {
  if (!answer.extensions?.plan) return answer;
  const { plan, execution, ...extensions } = answer.extensions;
  return { ...answer, extensions };
}

/**
 * Run documents, and keep the last exchange of each editor tab.
 *
 * Returns { exchange, isPending, run, stop }. `exchange` is that of the tab at hand:
 * { request, status, answer, text }, or { request, problem, detail } where nothing came; null before.
 * `publishedAs(query)`: the name of the published operation whose document this is, if it is.
 *
 * An answer belongs to its caller: another token hides and forgets all answers, and ends what is
 * under way.
 */
export function useExchanges({ who, operationName, publishedAs }) {
  const { tabId, queryEditor, variableEditor } = useGraphiQL((state) => ({
    tabId: state.tabs[state.activeTabIndex]?.id,
    queryEditor: state.queryEditor,
    variableEditor: state.variableEditor,
  }));
  const [exchanges, setExchanges] = useState({});
  const [pending, setPending] = useState({});
  const controllers = useRef({});

  const { token } = who;
  useEffect(() => {
    const underWay = controllers.current;
    return () => {
      for (const controller of Object.values(underWay)) controller.abort();
      setExchanges({});
      setPending({});
    };
  }, [token]);

  const keep = (exchange) => setExchanges((all) => ({ ...all, [tabId]: exchange }));
  const stop = () => {
    controllers.current[tabId]?.abort();
    setPending((all) => ({ ...all, [tabId]: false }));
  };

  async function run() {
    if (!queryEditor || !variableEditor) return;
    controllers.current[tabId]?.abort();
    const query = queryEditor.getValue();
    const request = { query, operationName, who, sentAt: new Date() };
    try {
      request.variables = tryParseJSONC(variableEditor.getValue()) ?? {};
    } catch (error) {
      keep({ request, problem: BAD_VARIABLES, detail: error.message });
      return;
    }
    const controller = new AbortController();
    controllers.current[tabId] = controller;
    const documentId = publishedAs(query);
    const { variables } = request;
    const parameters = documentId ? { documentId, variables } : { query, variables, operationName };
    // Whoever may see plans has each drawn beside its answer. What a session permits is not known.
    const mayHavePlan = who.token ? claims(who.token).scopes.includes("plans") : signedIn;
    if (mayHavePlan) parameters.extensions = { plan: true };
    keep(null);
    setPending((all) => ({ ...all, [tabId]: true }));
    let exchange;
    try {
      const { status, answer } = await send(parameters, who, controller.signal);
      exchange = { status, answer, text: JSON.stringify(withoutPlan(answer), null, 2) };
    } catch (error) {
      exchange = { problem: UNREACHABLE, detail: error.message };
    }
    if (controller.signal.aborted) return;
    const milliseconds = new Date() - request.sentAt;
    keep({ ...exchange, request: { ...request, documentId, milliseconds } });
    setPending((all) => ({ ...all, [tabId]: false }));
  }

  const last = exchanges[tabId] ?? null;
  const exchange = last?.request.who.token === token ? last : null;
  return { exchange, isPending: Boolean(pending[tabId]), run, stop };
}
