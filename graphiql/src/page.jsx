import { GraphiQL } from "graphiql";
import { useGraphiQL, useGraphiQLActions } from "@graphiql/react";
import { useEffect, useMemo, useRef, useState } from "react";
import { Callers, Examples, Fields, Personas, Title } from "./bar.jsx";
import { examples } from "./examples.js";
import { ask, claims, loadDemo, loadSchema, publicSchema } from "./gateway.js";
import { Results } from "./results.jsx";
import { storage, useRemembered } from "./storage.js";

const WITHOUT_SCHEMA = "# Nhập mã truy cập để xem lược đồ.\n# Enter a token to see the schema.";
const PERSONS_AT_ONCE = 3;
const isFirstVisit = storage.getItem("graphiql:tabState") === null;

/** Hands GraphiQL's editors, once they are there, to the bar above it. */
function Editors({ onReady }) {
  const { addTab } = useGraphiQLActions();
  const { query, variables } = useGraphiQL((state) => ({
    query: state.queryEditor,
    variables: state.variableEditor,
  }));
  useEffect(() => {
    if (query && variables) onReady({ addTab, query, variables });
  }, [addTab, query, variables, onReady]);
  return null;
}

const pretty = (value) => (value ? JSON.stringify(value, null, 2) : "");

/** Return `text` with its variables `id` and `ids` replaced by `chosen`, or null for other text. */
function withPersons(text, chosen) {
  try {
    const found = JSON.parse(text);
    if ("id" in found) found.id = chosen[0];
    if ("ids" in found) found.ids = chosen;
    return pretty(found);
  } catch {
    return null;
  }
}

export function Page() {
  const [token, setToken] = useRemembered("token");
  const [purpose, setPurpose] = useRemembered("purpose");
  const [caseNumber, setCaseNumber] = useRemembered("case-number");
  const [persona, setPersona] = useRemembered("persona");
  const [demo, setDemo] = useState(undefined);
  const [schema, setSchema] = useState(undefined);
  const [editors, setEditors] = useState(null);

  const who = useRef();
  who.current = { token, purpose, caseNumber };
  const [exchange, setExchange] = useState(null);
  const fetcher = useMemo(
    () => async (parameters) => {
      const request = { ...parameters, who: who.current, sentAt: new Date() };
      const answer = await ask(parameters, request.who);
      setExchange({ answer, request: { ...request, milliseconds: new Date() - request.sentAt } });
      return answer;
    },
    [],
  );

  const holder = claims(token);
  const schemaToken = !publicSchema && holder.expires > new Date() ? token : "";
  useEffect(() => {
    loadSchema(schemaToken).then(setSchema, () => setSchema(null));
  }, [schemaToken]);
  useEffect(() => {
    loadDemo()
      .catch(() => null)
      .then((found) => {
        const known = found?.personas.some((one) => one.id === persona);
        if (found && !known) setPersona(found.personas[0]?.id ?? "");
        setDemo(found);
      });
    // once: the personas do not change while the page is open
  }, []);

  /** The persona chosen and those after it; an empty number to fill in where there is no demo. */
  const persons = (first) => {
    const ids = demo?.personas.map((one) => one.id) ?? [];
    const start = Math.max(ids.indexOf(first), 0);
    const chosen = [...ids.slice(start), ...ids.slice(0, start)].slice(0, PERSONS_AT_ONCE);
    return chosen.length ? chosen : [""];
  };

  const list = useMemo(() => examples(schema), [schema]);
  const variables = (example) => pretty(example?.variables?.(persons(persona)));
  /** Show an example, in a tab of its own unless this one holds nothing of the reader's. */
  const show = (example) => {
    const text = editors.query.getValue().trim();
    const untouched = ["", WITHOUT_SCHEMA, ...list.map((one) => one.query)].includes(text);
    if (!untouched) editors.addTab();
    editors.query.setValue(example.query);
    editors.variables.setValue(variables(example));
  };

  const actAs = (name, person = persona) => {
    const own = demo.callers.find((one) => one.name === name).token;
    const fresh = name === "citizen" ? (demo.citizens[person] ?? "") : own;
    const { purposes } = claims(fresh);
    setToken(fresh);
    setPurpose(purposes[0] ?? "");
    setCaseNumber(purposes.length ? "HS-DEMO-0001" : "");
  };
  const isCitizen = Boolean(demo && Object.values(demo.citizens).includes(token));
  const current = isCitizen ? "citizen" : demo?.callers.find((one) => one.token === token)?.name;

  const choosePersona = (id) => {
    setPersona(id);
    if (isCitizen) actAs("citizen", id);
    const fresh = editors && withPersons(editors.variables.getValue(), persons(id));
    if (fresh) editors.variables.setValue(fresh);
  };

  const ready = schema !== undefined && demo !== undefined;
  return (
    <>
      <header className="bar">
        <div className="row">
          <Title isDemo={Boolean(demo)} />
          <Fields
            {...{ token, setToken, purpose, setPurpose, caseNumber, setCaseNumber, holder }}
          />
        </div>
        <div className="row">
          <Examples list={list} onPick={show} disabled={!editors} />
          {demo && <Personas {...{ demo, persona, choosePersona }} />}
        </div>
        {demo && (
          <div className="row">
            <Callers {...{ demo, current, actAs, persona }} />
          </div>
        )}
      </header>
      <main>
        {ready && (
          <GraphiQL
            fetcher={fetcher}
            schema={schema}
            storage={storage}
            isHeadersEditorEnabled={false}
            showPersistHeadersSettings={false}
            defaultEditorToolsVisibility="variables"
            defaultTabs={[{ query: list[0]?.query ?? WITHOUT_SCHEMA }]}
            initialVariables={isFirstVisit ? variables(list[0]) : undefined}
          >
            <GraphiQL.Logo>{null}</GraphiQL.Logo>
            <GraphiQL.Footer>
              <Results {...{ exchange, schema }} who={who.current} />
            </GraphiQL.Footer>
            <Editors onReady={setEditors} />
          </GraphiQL>
        )}
      </main>
    </>
  );
}
