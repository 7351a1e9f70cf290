/**
 * A cache of Apollo Client (4) for answers of justice-gateway.
 *
 * Records are kept by `recordId`. Two queries that select different fields of one person stay
 * readable, as long as what they have in common agrees; where it does not, the later answer stands
 * alone and the other query is asked again: rows of one moment never get the state of another.
 *
 * Select `recordId` in every record, `source { state }` in every list, and `askedAs` of a person
 * whom a record leads to. Keep a cache for each user and purpose, and drop it with them.
 */
import { InMemoryCache, type TypePolicies } from "@apollo/client";
import { parts, possibleTypes, views } from "./client-types";

type Stored = { __typename?: string; __ref?: string; [field: string]: unknown };

const ANSWERS = new Set([...possibleTypes.RecordList, ...possibleTypes.SingleRecord, ...views]);
const GROUPS = new Set([...possibleTypes.Section, ...parts, "Source"]);
/** What is put together only within an answer that is the same, or where nothing differs. */
const DETAILS = new Set(["Database", "Coverage", "Text"]);

const isObject = (value: unknown): value is Stored =>
  typeof value === "object" && value !== null && !Array.isArray(value) && !("__ref" in value);

/** Whether no field that both have says two things; `source` and sections may say more. */
function agree(one: Stored, other: Stored): boolean {
  return Object.keys(other).every(
    (field) =>
      !(field in one) ||
      isObject(other[field]) ||
      JSON.stringify(one[field]) === JSON.stringify(other[field]),
  );
}

/** Whether two answers for a person are for the same: the arguments say so, or `askedAs` has to. */
function isSamePerson(existing: Stored, incoming: Stored, isNamed: boolean): boolean {
  const known = ["id", "askedAs"].filter((field) => field in existing && field in incoming);
  const agrees = known.every((field) => existing[field] === incoming[field]);
  return agrees && (isNamed || known.includes("askedAs"));
}

function isSame(existing: Stored, incoming: Stored, isNamed: boolean): boolean {
  const kind = incoming.__typename ?? "";
  if (existing.__typename !== kind) return false;
  if (kind === "Person") return isSamePerson(existing, incoming, isNamed);
  if (ANSWERS.has(kind)) {
    const [before, now] = [existing.source as Stored, incoming.source as Stored];
    return now?.state !== undefined && before?.state === now.state && agree(existing, incoming);
  }
  return GROUPS.has(kind) || (DETAILS.has(kind) && agree(existing, incoming));
}

/** Put two answers for one place together; where they are not the same, the later stands alone. */
function merge(existing: unknown, incoming: unknown, isNamed: boolean): unknown {
  if (!isObject(existing) || !isObject(incoming)) return incoming;
  if (!isSame(existing, incoming, isNamed)) return incoming;
  const merged: Stored = { ...existing };
  for (const [field, value] of Object.entries(incoming))
    merged[field] = merge(merged[field], value, false);
  return merged;
}

const named = { merge: (old: unknown, fresh: unknown) => merge(old, fresh, true) };
const together = {
  keyFields: false as const,
  merge: (old: unknown, fresh: unknown) => merge(old, fresh, false),
};

export const typePolicies: TypePolicies = {
  Query: {
    fields: {
      me: named,
      person: named,
      persons: {
        merge: (old: unknown[] | null, fresh: unknown[] | null) =>
          fresh && fresh.map((person, place) => merge(old?.[place], person, true)),
      },
    },
  },
  Record: { keyFields: ["recordId"] },
  ...Object.fromEntries(
    ["Person", ...ANSWERS, ...possibleTypes.Section, ...parts].map((kind) => [kind, together]),
  ),
};

/** Return a new cache, empty. */
export function answerCache(): InMemoryCache {
  return new InMemoryCache({ possibleTypes, typePolicies });
}
