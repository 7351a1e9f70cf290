/** The lists of an answer, found by its document, so that a list that did not come is found too. */
import { getNamedType, GraphQLObjectType, Kind, parse } from "graphql";
import { isListOfObjects } from "../schema.js";

/** More lists than this are not offered: an answer about many persons has a list for each. */
const LISTS = 500;

/** Return the fields selected on `type`, fragments spread, as [{ key, name, type, selections }]. */
function selected(selectionSets, type, fragments, found = new Map()) {
  for (const node of selectionSets.flatMap((set) => set?.selections ?? [])) {
    if (node.kind === Kind.FIELD) {
      const key = node.alias?.value ?? node.name.value;
      const known = found.get(key);
      if (known) known.selections.push(node.selectionSet);
      else {
        const definition = type?.getFields?.()[node.name.value];
        found.set(key, {
          key,
          name: node.name.value,
          type: definition?.type,
          description: definition?.description,
          selections: [node.selectionSet],
        });
      }
    } else {
      const fragment =
        node.kind === Kind.FRAGMENT_SPREAD ? fragments.get(node.name.value) : node;
      if (fragment) selected([fragment.selectionSet], type, fragments, found);
    }
  }
  return [...found.values()];
}

const isComposite = (field) => field.selections.some(Boolean);
const isObject = (value) => typeof value === "object" && value !== null && !Array.isArray(value);

/** Return the columns of rows, one for each plain value in them: [{ path, kind, description }]. */
function columns(selections, type, fragments, sample, prefix = []) {
  return selected(selections, type, fragments).flatMap((field) => {
    if (field.name.startsWith("__")) return [];
    const path = [...prefix, field.key];
    const { description } = field;
    if (!isComposite(field)) return [{ path, kind: "value", description }];
    const named = field.type && getNamedType(field.type);
    const below = selected(field.selections, named, fragments);
    const holder = below.some(({ name }) => name === "items" || name === "item");
    const values = sample.map((row) => row?.[field.key]);
    if (holder || (field.type && isListOfObjects(field.type)) || values.some(Array.isArray)) {
      return [{ path, kind: "list", description }];
    }
    return columns(field.selections, named, fragments, values, path);
  });
}

/**
 * Return the lists of an answer: [{ path, rows, state, asOf, truncated, next, missingAt, columns, root,
 * rowPath }].
 *
 * `rows` is null where no rows came, for whatever reason: `state` says why if the document asks it,
 * `missingAt` is the path of the part of the answer that is null. `rowPath(index)` is the place of a
 * row. `root` is the root field's name. A single record is a list of at most one; it is empty only where `exists` says so.
 */
export function findLists({ answer, request, schema }) {
  let document;
  try {
    document = parse(request.query);
  } catch {
    return [];
  }
  const { definitions } = document;
  const operations = definitions.filter(({ kind }) => kind === Kind.OPERATION_DEFINITION);
  const operation =
    operations.find(({ name }) => name?.value === request.operationName) ?? operations[0];
  const fragments = new Map(
    definitions
      .filter(({ kind }) => kind === Kind.FRAGMENT_DEFINITION)
      .map((fragment) => [fragment.name.value, fragment]),
  );
  const found = [];

  /** Return what `beside`, the fields selected of `holder`, says of a list: its state and so on. */
  function report(holder, beside) {
    const read = (name) => {
      const field = beside.find((other) => other.name === name);
      return field ? [holder?.[field.key] ?? null, field] : [null];
    };
    const [source, field] = read("source");
    const below = field ? selected(field.selections, null, fragments) : [];
    const of = (name) => source?.[below.find((other) => other.name === name)?.key] ?? null;
    return {
      state: of("state"),
      asOf: of("asOf"),
      exists: read("exists")[0],
      truncated: read("truncated")[0],
      next: read("nextCursor")[0],
    };
  }

  /** Note the list at `path`, and those in its rows. */
  function note({ path, inside, isSingle, field, rows, said, missingAt, root }) {
    const type = field.type && getNamedType(field.type);
    const sample = rows ?? [];
    const rowPath = (index) => [...path, ...inside, ...(isSingle ? [] : [index])];
    found.push({
      ...said,
      path,
      rowPath,
      root,
      rows,
      missingAt: rows === null ? (missingAt ?? path) : null,
      columns: columns(field.selections, type, fragments, sample),
    });
    for (const [index, row] of sample.entries()) {
      if (isObject(row)) walk(field.selections, type, row, rowPath(index), null, root);
    }
  }

  function walk(selections, type, value, path, missingAt, root) {
    const fields = selected(selections, type, fragments);
    for (const field of fields.filter(isComposite)) {
      if (found.length >= LISTS) return;
      const below = [...path, field.key];
      const own = isObject(value) ? value[field.key] : undefined;
      // A field that @skip left out is not in the answer at all; one that failed is null.
      if (isObject(value) && own === undefined) continue;
      const missing = missingAt ?? (own === null ? below : null);
      const named = field.type && getNamedType(field.type);
      const inner = selected(field.selections, named, fragments);
      const items = inner.find(({ name }) => name === "items");
      const item = inner.find(({ name }) => name === "item");
      const at = root ?? field.name;
      const where = { path: below, missingAt: missing, root: at };
      if (items && isComposite(items)) {
        const rows = own?.[items.key] ?? null;
        note({ ...where, inside: [items.key], field: items, rows, said: report(own, inner) });
      } else if (item && isComposite(item)) {
        const said = report(own, inner);
        const record = own?.[item.key] ?? null;
        const rows = record ? [record] : said.exists === false ? [] : null;
        note({ ...where, inside: [item.key], isSingle: true, field: item, rows, said });
      } else if (Array.isArray(own) || (field.type && isListOfObjects(field.type))) {
        note({ ...where, inside: [], field, rows: own ?? null, said: report(value, fields) });
      } else {
        walk(field.selections, named, own, below, missing, at);
      }
    }
  }

  if (operation) {
    const root = schema?.getQueryType();
    const missing = isObject(answer?.data) ? null : [];
    walk([operation.selectionSet], root instanceof GraphQLObjectType ? root : null,
      answer?.data, [], missing, null);
  }
  return found;
}

/** Return the value of a row at a column's path. */
export const valueAt = (row, path) =>
  path.reduce((value, key) => (value === null || value === undefined ? value : value[key]), row);

/**
 * Whether the place `short`, or a part of it, is around `long`.
 *
 * An error that stands for several places (`count`) names the first of them, so that any row may be
 * meant: "not known" is then right for each of them, and "no value" would not be.
 */
const isAround = (short, long, count) =>
  short.every(
    (key, index) =>
      key === long[index] ||
      (count > 1 && typeof key === "number" && typeof long[index] === "number"),
  );

/** Return the errors of an answer that tell why something at or around `path` is as it is. */
export const errorsAt = (answer, path) =>
  (answer?.errors ?? []).filter(({ path: at, extensions }) => {
    const count = extensions?.count ?? 1;
    return !at || isAround(at.slice(0, path.length), path, count);
  });

/** Return the error that tells why the value at `columnPath` of the row at `rowPath` is null. */
export const errorOfCell = (answer, rowPath, columnPath) =>
  (answer.errors ?? []).find(
    ({ path, extensions }) =>
      path?.length > rowPath.length &&
      isAround(path, [...rowPath, ...columnPath], extensions?.count ?? 1),
  );
