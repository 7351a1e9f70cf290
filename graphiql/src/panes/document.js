/** The document at hand as a tree that clicks change, and back into text. */
import {
  astFromValue,
  getNamedType,
  isEnumType,
  isInputObjectType,
  isLeafType,
  isListType,
  isNonNullType,
  Kind,
  parse,
  parseType,
  print,
  valueFromASTUntyped,
  visit,
} from "graphql";
import { listHolder, needsNothing, plainFields } from "../schema.js";

const LITERALS = ["Boolean", "Int"];
export const named = (value) => ({ kind: Kind.NAME, value });
const selectionSet = (selections) => ({ kind: Kind.SELECTION_SET, selections });
const fieldNode = (name, below = []) => ({
  kind: Kind.FIELD,
  name: named(name),
  arguments: [],
  directives: [],
  ...(below.length && { selectionSet: selectionSet(below) }),
});

const EMPTY = {
  kind: Kind.OPERATION_DEFINITION,
  operation: "query",
  name: named("Built"),
  variableDefinitions: [],
  directives: [],
  selectionSet: selectionSet([]),
};

/** Return { definitions, index } of a text, index being that of its operation; null for bad syntax. */
export function readDocument(text, operationName) {
  if (!text.replaceAll(/#.*/g, "").trim()) return { definitions: [EMPTY], index: 0 };
  try {
    const { definitions } = parse(text, { noLocation: true });
    const isOperation = ({ kind }) => kind === Kind.OPERATION_DEFINITION;
    const wanted = definitions.findIndex(
      (definition) => isOperation(definition) && definition.name?.value === operationName,
    );
    const index = wanted >= 0 ? wanted : definitions.findIndex(isOperation);
    return index >= 0
      ? { definitions, index }
      : { definitions: [...definitions, EMPTY], index: definitions.length };
  } catch {
    return null;
  }
}

/** Return the variables that a node uses. */
function usedVariables(node) {
  const used = new Set();
  visit(node, {
    Variable: ({ name }) => void used.add(name.value),
    VariableDefinition: () => false,
  });
  return used;
}

/**
 * Return { query, variables } after a click: `operation` takes the place of the document's.
 *
 * `fresh`: variables that the click brought, { name: { type, value } }, of which those known only
 * change their value. Variables that nothing uses any more go.
 */
export function writeDocument({ definitions, index }, operation, variables, fresh) {
  const others = definitions.filter((_, at) => at !== index);
  const before = usedVariables({ kind: Kind.DOCUMENT, definitions });
  const used = usedVariables({ kind: Kind.DOCUMENT, definitions: [...others, operation] });
  const known = new Set(operation.variableDefinitions.map(({ variable }) => variable.name.value));
  const added = Object.entries(fresh)
    .filter(([name]) => !known.has(name))
    .map(([name, { type }]) => ({
      kind: Kind.VARIABLE_DEFINITION,
      variable: { kind: Kind.VARIABLE, name: named(name) },
      type: parseType(type, { noLocation: true }),
      directives: [],
    }));
  const kept = [...operation.variableDefinitions, ...added].filter(({ variable }) =>
    used.has(variable.name.value),
  );
  const values = { ...variables };
  for (const [name, { value }] of Object.entries(fresh)) values[name] = value;
  for (const name of Object.keys(values)) if (!used.has(name) && before.has(name)) delete values[name];
  const changed = { ...operation, variableDefinitions: kept };
  const isEmpty = changed.selectionSet.selections.length === 0;
  const all = definitions.map((definition, at) => (at === index ? changed : definition));
  return {
    query: isEmpty ? others.map(print).join("\n\n") : all.map(print).join("\n\n"),
    variables: values,
  };
}

/** Return the value of an argument, and the variable that holds it, if one does. */
export function readArgument(node, variables) {
  if (!node) return { value: undefined };
  if (node.value.kind === Kind.VARIABLE) {
    const variable = node.value.name.value;
    return { variable, value: variables[variable] ?? undefined };
  }
  return { value: valueFromASTUntyped(node.value, variables) };
}

/** Whether a value stands in the document; all others are variables, so that it holds no data. */
const isLiteral = (type) => isEnumType(getNamedType(type)) || LITERALS.includes(getNamedType(type).name);

/**
 * Return { node, fresh }: a field with another value of an argument; undefined takes it away.
 *
 * `taken`: names of variables that are in use. `fresh`: see writeDocument.
 */
export function writeArgument(node, argument, value, taken) {
  const others = (node.arguments ?? []).filter(({ name }) => name.value !== argument.name);
  const present = (node.arguments ?? []).find(({ name }) => name.value === argument.name);
  if (value === undefined) return { node: { ...node, arguments: others }, fresh: {} };
  let variable = present?.value.kind === Kind.VARIABLE ? present.value.name.value : undefined;
  let ast;
  let fresh = {};
  if (!variable && isLiteral(argument.type)) ast = astFromValue(value, argument.type);
  else {
    for (let count = 1; !variable; count += 1) {
      const name = count === 1 ? argument.name : `${argument.name}${count}`;
      if (!taken.has(name)) variable = name;
    }
    ast = { kind: Kind.VARIABLE, name: named(variable) };
    fresh = { [variable]: { type: String(argument.type), value } };
  }
  const changed = { kind: Kind.ARGUMENT, name: named(argument.name), value: ast };
  return { node: { ...node, arguments: [...others, changed] }, fresh };
}

/** Return the value that a required input begins with; `persons`: numbers to begin with. */
export function beginning(type, persons) {
  if (isNonNullType(type)) return beginning(type.ofType, persons);
  if (isListType(type)) {
    const inner = getNamedType(type);
    if (inner.name === "PersonNumber") return persons;
    return isEnumType(inner) ? [inner.getValues()[0].name] : [beginning(type.ofType, persons)];
  }
  if (isEnumType(type)) return type.getValues()[0].name;
  if (isInputObjectType(type)) {
    const required = Object.values(type.getFields()).filter((field) => isNonNullType(field.type));
    return Object.fromEntries(required.map((field) => [field.name, beginning(field.type, persons)]));
  }
  if (type.name === "PersonNumber") return persons[0] ?? "";
  return { Boolean: false, Int: 0 }[type.name] ?? "";
}

/**
 * Return { node, fresh }: a field as it is when it is picked.
 *
 * Its required arguments have a value to begin with. A list begins with what tells of its rows, and
 * with its state, so that "none" and "not known" differ; an object with its first plain field.
 */
export function pickField(field, taken, persons) {
  const type = getNamedType(field.type);
  let node = fieldNode(field.name, isLeafType(type) ? [] : firstFields(type));
  const fresh = {};
  for (const argument of field.args) {
    if (!isNonNullType(argument.type) || argument.defaultValue !== undefined) continue;
    const value = beginning(argument.type, persons);
    const written = writeArgument(node, argument, value, new Set([...taken, ...Object.keys(fresh)]));
    node = written.node;
    Object.assign(fresh, written.fresh);
  }
  return { node, fresh };
}

function firstFields(type) {
  if (!("getFields" in type)) return [fieldNode("__typename")];
  const own = type.getFields();
  const holder = listHolder(type);
  if (holder) {
    const plain = plainFields(getNamedType(holder.type)).map((name) => fieldNode(name));
    const rest = ["exists", "truncated"].filter((name) => name in own).map((name) => fieldNode(name));
    return [
      fieldNode(holder.name, plain),
      ...rest,
      fieldNode("source", [fieldNode("state")]),
    ];
  }
  const languages = ["vi", "en"].filter((name) => name in own);
  if (languages.length === 2) return languages.map((name) => fieldNode(name));
  const first = Object.values(own).find(
    (field) => isLeafType(getNamedType(field.type)) && needsNothing(field) && !field.deprecationReason,
  );
  return first ? [fieldNode(first.name)] : [];
}

/** Return a node with another selection below it. */
export const withSelections = (node, selections) => ({
  ...node,
  selectionSet: selections.length ? selectionSet(selections) : undefined,
});
