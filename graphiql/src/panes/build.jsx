/**
 * Builds the document by clicks: root fields, fields, values of arguments.
 *
 * Written here, since @graphiql/plugin-explorer cannot be used by keyboard; see docs/decisions/0071.
 */
import { useGraphiQL, useOperationsEditorState, useVariablesEditorState } from "@graphiql/react";
import {
  getNamedType,
  isAbstractType,
  isLeafType,
  isNonNullType,
  Kind,
} from "graphql";
import { createContext, useContext, useState } from "react";
import { Both, halves } from "../both.jsx";
import { Empty } from "../panels/empty.jsx";
import { named, pickField, readArgument, readDocument, withSelections, writeArgument, writeDocument } from "./document.js";
import { Argument } from "./inputs.jsx";
import { replaceText } from "./text.js";

/** So many levels of a document are unfolded at first; what is picked by a click always is. */
const OPEN = 2;
/** The fields of a list that hold its rows: unfolded with the list. */
const ROWS = ["items", "item"];

/** { schema, filter, variables, taken, persons } of the tree. */
const Tree = createContext(null);

/** Return a text without case, tones and marks, so that "ket hon" finds "kết hôn". */
const plain = (text) =>
  text.normalize("NFD").replaceAll(/\p{M}/gu, "").replaceAll("đ", "d").replaceAll("Đ", "d").toLowerCase();

const isNeeded = (argument) =>
  isNonNullType(argument.type) && argument.defaultValue === undefined;

/** Replace the node at `index` of a selection; append at -1, remove for null. */
function replaceAt(selections, index, node) {
  if (index < 0) return node ? [...selections, node] : selections;
  if (!node) return selections.filter((_, at) => at !== index);
  return selections.map((other, at) => (at === index ? node : other));
}

function Arguments({ field, node, onChange }) {
  const { variables, taken, persons } = useContext(Tree);
  const rows = (wanted) =>
    field.args.filter(wanted).map((argument) => {
      const present = node.arguments?.find(({ name }) => name.value === argument.name);
      const change = (value) => {
        const written = writeArgument(node, argument, value, taken);
        onChange(written.node, written.fresh);
      };
      const { value } = readArgument(present, variables);
      return <Argument key={argument.name} {...{ argument, value, persons }} onChange={change} />;
    });
  const isGiven = (argument) => node.arguments?.some(({ name }) => name.value === argument.name);
  const isShown = (argument) => isNeeded(argument) || isGiven(argument);
  const others = field.args.filter((argument) => !isShown(argument)).length;
  return (
    <div className="arguments">
      {rows(isShown)}
      {others > 0 && (
        <details>
          <summary>
            <Both vi={`Thêm tham số (${others})`} en="more" />
          </summary>
          {rows((argument) => !isShown(argument))}
        </details>
      )}
    </div>
  );
}

/** One field of a type: a box to pick it, and below it, once picked, its arguments and fields. */
function Field({ field, node, onChange, depth }) {
  const { taken, persons } = useContext(Tree);
  const [isOpen, setOpen] = useState(depth < OPEN || ROWS.includes(field.name));
  const type = getNamedType(field.type);
  const isLeaf = isLeafType(type);
  const { vi, en } = halves(field.description);
  const toggle = () => {
    if (node) onChange(null, {});
    else {
      const picked = pickField(field, taken, persons);
      setOpen(true);
      onChange(picked.node, picked.fresh);
    }
  };
  const lacks = node && !isLeaf && !node.selectionSet?.selections.length;
  return (
    <li>
      <div className="field">
        {node && !isLeaf ? (
          <button
            type="button"
            className="fold"
            aria-expanded={isOpen}
            aria-label={`Các trường của / Fields of ${field.name}`}
            onClick={() => setOpen(!isOpen)}
          >
            {isOpen ? "▾" : "▸"}
          </button>
        ) : (
          <span className="fold" aria-hidden="true">
            {isLeaf ? "" : "▸"}
          </span>
        )}
        <label title={[vi, en, String(field.type)].filter(Boolean).join("\n")}>
          <input type="checkbox" data-field={field.name} checked={Boolean(node)} onChange={toggle} />
          <span>
            {field.name} <small>{vi}</small>
          </span>
        </label>
      </div>
      {node && field.args.length > 0 && <Arguments {...{ field, node, onChange }} />}
      {lacks && (
        <p className="hint">
          <Both vi="Chọn ít nhất một trường." en="Pick at least one field." />
        </p>
      )}
      {node && !isLeaf && isOpen && (
        <Fields
          type={type}
          depth={depth + 1}
          selections={node.selectionSet?.selections ?? []}
          onChange={(selections, fresh) => onChange(withSelections(node, selections), fresh)}
        />
      )}
    </li>
  );
}

/** A type that an interface or union may turn out to be. */
function Possible({ type, node, onChange }) {
  const toggle = () =>
    onChange(
      node
        ? null
        : {
            kind: Kind.INLINE_FRAGMENT,
            typeCondition: { kind: Kind.NAMED_TYPE, name: named(type.name) },
            directives: [],
            selectionSet: { kind: Kind.SELECTION_SET, selections: [{ kind: Kind.FIELD, name: named("__typename") }] },
          },
      {},
    );
  return (
    <li>
      <div className="field">
        <span className="fold" aria-hidden="true">
          ▸
        </span>
        <label title={type.description}>
          <input type="checkbox" data-type={type.name} checked={Boolean(node)} onChange={toggle} />
          <span>… on {type.name}</span>
        </label>
      </div>
      {node && (
        <Fields
          type={type}
          depth={OPEN}
          selections={node.selectionSet.selections}
          onChange={(selections, fresh) =>
            onChange(selections.length ? withSelections(node, selections) : null, fresh)
          }
        />
      )}
    </li>
  );
}

/** The fields of a type: those picked always, the others as far as the filter lets them through. */
function Fields({ type, selections, onChange, depth = 0 }) {
  const { schema, filter } = useContext(Tree);
  const own = "getFields" in type ? Object.values(type.getFields()) : [];
  const at = (field) =>
    selections.findIndex((node) => node.kind === Kind.FIELD && node.name.value === field.name);
  const shown = own.filter((field) => {
    if (at(field) >= 0) return true;
    if (field.deprecationReason) return false;
    return !filter || plain(`${field.name} ${field.description ?? ""}`).includes(filter);
  });
  const possible = isAbstractType(type) ? schema.getPossibleTypes(type) : [];
  const atType = (one) =>
    selections.findIndex((node) => node.typeCondition?.name.value === one.name);
  const spreads = selections.filter((node) => node.kind === Kind.FRAGMENT_SPREAD);
  return (
    <ul>
      {shown.map((field) => (
        <Field
          key={field.name}
          field={field}
          depth={depth}
          node={selections[at(field)]}
          onChange={(node, fresh) => onChange(replaceAt(selections, at(field), node), fresh)}
        />
      ))}
      {possible
        .filter((one) => atType(one) >= 0 || !filter || plain(one.name).includes(filter))
        .map((one) => (
          <Possible
            key={one.name}
            type={one}
            node={selections[atType(one)]}
            onChange={(node, fresh) => onChange(replaceAt(selections, atType(one), node), fresh)}
          />
        ))}
      {spreads.map(({ name }) => (
        <li key={name.value} className="spread">
          …{name.value}
        </li>
      ))}
      {shown.length + possible.length === 0 && (
        <li className="hint">
          <Both vi="Không có trường nào khớp." en="No field matches." />
        </li>
      )}
    </ul>
  );
}

const readVariables = (text) => {
  try {
    return text.trim() ? JSON.parse(text) : {};
  } catch {
    return null;
  }
};

/** `persons`: numbers that a person's number begins with; `operationName`: which operation is built. */
export function Build({ schema, persons, personas, operationName, isStarting }) {
  const [filter, setFilter] = useState("");
  const [query] = useOperationsEditorState();
  const [variablesText] = useVariablesEditorState();
  const editors = useGraphiQL((state) => ({
    query: state.queryEditor,
    variables: state.variableEditor,
  }));
  if (!schema) {
    return (
      <Empty
        vi="Nhập mã truy cập để xem lược đồ, rồi dựng truy vấn từ đó."
        en="Enter a token to see the schema, and build from it."
      />
    );
  }
  // The tree of the empty document would move when the example comes.
  if (isStarting) return <div className="build" aria-busy="true" />;
  const document = readDocument(query, operationName);
  const variables = readVariables(variablesText);
  if (!document || !variables) {
    return (
      <Empty
        vi="Truy vấn hoặc biến có lỗi cú pháp: sửa trong trình soạn thảo, rồi dựng tiếp."
        en="The query or its variables have a syntax error: mend it in the editor to go on."
      />
    );
  }
  const operation = document.definitions[document.index];
  const taken = new Set(operation.variableDefinitions.map(({ variable }) => variable.name.value));
  const change = (selections, fresh) => {
    const next = { ...operation, selectionSet: { kind: Kind.SELECTION_SET, selections } };
    const written = writeDocument(document, next, variables, fresh);
    replaceText(editors.query, written.query);
    const isEmpty = Object.keys(written.variables).length === 0;
    replaceText(editors.variables, isEmpty ? "" : JSON.stringify(written.variables, null, 2));
  };
  return (
    <div className="build">
      <input
        type="search"
        value={filter}
        aria-label="Lọc trường / Filter fields"
        placeholder="Lọc trường / Filter fields"
        onChange={(event) => setFilter(event.target.value)}
      />
      <datalist id="personas">
        {personas.map(({ id, story }) => (
          <option key={id} value={id}>
            {halves(story).vi}
          </option>
        ))}
      </datalist>
      <Tree.Provider
        value={{ schema, filter: plain(filter.trim()), variables, taken, persons }}
      >
        <Fields
          type={schema.getQueryType()}
          selections={operation.selectionSet.selections}
          onChange={change}
        />
      </Tree.Provider>
    </div>
  );
}
