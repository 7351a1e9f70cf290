/** The page: who asks, what the gateway offers them, and the workbench. */
import {
  GraphiQLProvider,
  useGraphiQL,
  useGraphiQLActions,
  useOperationsEditorState,
} from "@graphiql/react";
import { useEffect, useMemo, useState } from "react";
import { Bar } from "./bar/bar.jsx";
import { Caller } from "./bar/caller.jsx";
import { CopyAs } from "./bar/copy_as.jsx";
import { Samples } from "./bar/samples.jsx";
import { examples } from "./examples.js";
import { operationNames, useExchanges } from "./exchanges.js";
import { claims, loadDemo, loadPublished, loadSchema, publicSchema } from "./gateway.js";
import { LENGTH } from "./panes/history.jsx";
import { storage, useRemembered, useRememberedValue } from "./storage.js";
import { Workbench } from "./workbench.jsx";

const WITHOUT_SCHEMA = "# Nhập mã truy cập để xem lược đồ.\n# Enter a token to see the schema.";
const PERSONS_AT_ONCE = 3;
/** What Ctrl+click on a name opens; panes/docs.jsx shows it. */
const REFERENCE = { title: "Docs", icon: () => null, content: () => null };
const PLUGINS = [REFERENCE];
const isFirstVisit = storage.getItem("graphiql:tabState") === null;

const pretty = (value) =>
  value && Object.keys(value).length ? JSON.stringify(value, null, 2) : "";

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

/** Return the operations published for the holder of `token`: { published, load }. */
function usePublished(token) {
  const [catalogue, setCatalogue] = useState({});
  const load = () => {
    if (catalogue.token === token && catalogue.published) return;
    setCatalogue({ token });
    loadPublished(token)
      .catch(() => null)
      .then((published) => setCatalogue((now) => (now.token === token ? { token, published } : now)));
  };
  return { published: catalogue.token === token ? catalogue.published : undefined, load };
}

/** The part of the page that knows the editors. */
function Inside({ schema, demo, who, set, persona, setPersona }) {
  const { addTab } = useGraphiQLActions();
  const editors = useGraphiQL((state) => ({
    query: state.queryEditor,
    variables: state.variableEditor,
  }));
  const isReady = Boolean(editors.query && editors.variables);
  const [query] = useOperationsEditorState();
  const [chosen, setChosen] = useState(undefined);
  const [picked, setPicked] = useRememberedValue("published", {});
  const [entries, setEntries] = useRememberedValue("history", []);
  const { published, load } = usePublished(who.token);
  const holder = claims(who.token);

  const names = useMemo(() => operationNames(query), [query]);
  const operationName = names.includes(chosen) ? chosen : names[0];
  /** Published documents run by name, and only for whom they were picked. */
  const publishedAs = (text) =>
    picked.token === who.token && picked.query === text.trim() ? picked.name : undefined;
  const exchanges = useExchanges({ who, operationName, publishedAs });

  /** The persona chosen and those after it; an empty number to fill in where there is no demo. */
  const personsFrom = (first) => {
    const ids = demo?.personas.map(({ id }) => id) ?? [];
    const start = Math.max(ids.indexOf(first), 0);
    const several = [...ids.slice(start), ...ids.slice(0, start)].slice(0, PERSONS_AT_ONCE);
    return several.length ? several : [""];
  };
  const persons = personsFrom(persona);

  const list = useMemo(() => examples(schema), [schema]);
  const variablesOf = ({ variables }) =>
    typeof variables === "function" ? variables(persons) : variables;
  const put = (text, variables) => {
    editors.query.setValue(text);
    editors.variables.setValue(pretty(variables));
  };
  /** Show a sample, in a tab of its own unless this one holds nothing of the reader's. */
  const show = (sample) => {
    const text = editors.query.getValue().trim();
    const known = ["", WITHOUT_SCHEMA, picked.query, ...list.map((example) => example.query)];
    if (!known.includes(text)) addTab();
    if (sample.name) {
      setPicked({ name: sample.name, query: sample.query, token: who.token });
      const { purposes } = sample;
      const granted = purposes.filter((purpose) => holder.purposes.includes(purpose));
      if (purposes.length && !purposes.includes(who.purpose)) set.purpose(granted[0] ?? purposes[0]);
    }
    put(sample.query, variablesOf(sample));
  };
  /** Until the first example is there, the document is empty for a moment only. */
  const [isStarting, setStarting] = useState(isFirstVisit);
  useEffect(() => {
    if (!isFirstVisit || !isReady || demo === undefined || schema === undefined) return;
    setStarting(false);
    if (editors.query.getValue().trim()) return;
    if (list.length) show(list[0]);
    else if (schema === null) put(WITHOUT_SCHEMA, {});
  }, [isReady, schema, demo]);

  const actAs = (name, person = persona) => {
    const own = demo.callers.find((caller) => caller.name === name).token;
    const fresh = name === "citizen" ? (demo.citizens[person] ?? "") : own;
    const { purposes } = claims(fresh);
    set.token(fresh);
    set.purpose(purposes[0] ?? "");
    set.caseNumber(purposes.length ? "HS-DEMO-0001" : "");
  };
  const isCitizen = Boolean(demo && Object.values(demo.citizens).includes(who.token));
  const current = isCitizen
    ? "citizen"
    : demo?.callers.find(({ token }) => token === who.token)?.name;
  const choosePersona = (id) => {
    setPersona(id);
    if (isCitizen) actAs("citizen", id);
    const fresh = isReady && withPersons(editors.variables.getValue(), personsFrom(id));
    if (fresh) editors.variables.setValue(fresh);
  };

  const run = () => {
    const entry = { query, variables: editors.variables.getValue(), at: Date.now() };
    const others = entries.filter((other) => other.query !== query);
    setEntries([entry, ...others].slice(0, LENGTH));
    exchanges.run();
  };
  const history = {
    entries,
    onPick: (entry) => {
      addTab();
      editors.query.setValue(entry.query);
      editors.variables.setValue(entry.variables);
    },
  };
  return (
    <>
      <Bar isDemo={Boolean(demo)}>
        <Caller {...{ who, set, holder, demo, current, actAs, persona, choosePersona }} />
        <Samples {...{ list, published, isReady }} onOpen={load} onPick={show} />
        <CopyAs {...{ who, operationName, publishedAs }} />
      </Bar>
      <Workbench
        {...{ schema: schema ?? null, who, demo, persons, history, isStarting }}
        exchanges={{ ...exchanges, run }}
        operations={{ names, operationName, onChoose: setChosen }}
        published={publishedAs(query)}
      />
    </>
  );
}

/** GraphiQL runs nothing by itself: exchanges.js does, which knows whose answer it is. */
const fetcher = () => Promise.reject(new Error("not used"));

export function Page() {
  const [token, setToken] = useRemembered("token");
  const [purpose, setPurpose] = useRemembered("purpose");
  const [caseNumber, setCaseNumber] = useRemembered("case-number");
  const [persona, setPersona] = useRemembered("persona");
  const [demo, setDemo] = useState(undefined);
  const [schema, setSchema] = useState(undefined);

  const who = useMemo(() => ({ token, purpose, caseNumber }), [token, purpose, caseNumber]);
  const isCurrent = claims(token).expires > new Date();
  const schemaToken = !publicSchema && isCurrent ? token : "";
  useEffect(() => {
    let isWanted = true;
    const take = (fresh) => isWanted && setSchema(fresh);
    loadSchema(schemaToken).then(take, () => take(null));
    return () => {
      isWanted = false;
    };
  }, [schemaToken]);
  useEffect(() => {
    loadDemo()
      .catch(() => null)
      .then((found) => {
        const known = found?.personas.some(({ id }) => id === persona);
        if (found && !known) setPersona(found.personas[0]?.id ?? "");
        setDemo(found);
      });
    // once: the personas do not change while the page is open
  }, []);

  return (
    <GraphiQLProvider
      fetcher={fetcher}
      schema={schema ?? null}
      dangerouslyAssumeSchemaIsValid
      storage={storage}
      plugins={PLUGINS}
      referencePlugin={REFERENCE}
      defaultTabs={[{ query: "" }]}
      defaultQuery=""
    >
      <Inside
        {...{ schema, demo, who, persona, setPersona }}
        set={{ token: setToken, purpose: setPurpose, caseNumber: setCaseNumber }}
      />
    </GraphiQLProvider>
  );
}
