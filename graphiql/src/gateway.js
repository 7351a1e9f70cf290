/** What the page asks of the gateway. Everything goes to the page's own host. */
import { buildSchema, Kind, parse } from "graphql";

const { dataset } = document.querySelector("meta[name=gateway]");
export const isDemo = dataset.demo === "true";
export const publicSchema = dataset.publicSchema === "true";

/**
 * Headers of a request by `who`: { token, purpose, caseNumber }.
 *
 * fetch takes Latin-1 alone, so the case number goes percent-encoded, as the gateway reads it.
 */
function headers(who) {
  return {
    ...(who.token && { authorization: `Bearer ${who.token}` }),
    ...(who.purpose && { "x-purpose": who.purpose }),
    ...(who.caseNumber && { "x-case-number": encodeURIComponent(who.caseNumber) }),
  };
}

/** The name to run: GraphiQL's own lags behind an editor that was filled a moment ago. */
function operationName({ query, operationName: given }) {
  try {
    const operations = parse(query).definitions.filter((one) => one.kind === Kind.OPERATION_DEFINITION);
    return operations.length === 1 ? operations[0].name?.value : given;
  } catch {
    return given; // the gateway says what is wrong with it
  }
}

/** Send one GraphQL request; a refusal is an answer too and is shown as it is. */
export async function ask(parameters, who) {
  const answer = await fetch("/graphql", {
    method: "POST",
    headers: {
      accept: "application/graphql-response+json, application/json;q=0.9",
      "content-type": "application/json",
      ...headers(who),
    },
    body: JSON.stringify({ ...parameters, operationName: operationName(parameters) }),
  });
  return answer.json();
}

/**
 * Return the schema, or null where it is not public and the token does not open it.
 *
 * It comes from /schema.graphql, not by introspection: most callers may not introspect.
 */
export async function loadSchema(token) {
  if (!publicSchema && !token) return null;
  const answer = await fetch("/schema.graphql", { headers: headers({ token }) });
  return answer.ok ? buildSchema(await answer.text(), { assumeValid: true }) : null;
}

/** Return the demo's callers and personas: { callers, citizens, personas }; null elsewhere. */
export async function loadDemo() {
  if (!isDemo) return null;
  const answer = await fetch("/demo/callers");
  return answer.ok ? answer.json() : null;
}

/** Return what a token says of itself, unverified, for show: {} for what is no JWT. */
export function claims(token) {
  try {
    const text = atob(token.split(".")[1].replaceAll("-", "+").replaceAll("_", "/"));
    const bytes = Uint8Array.from(text, (letter) => letter.charCodeAt(0));
    const found = JSON.parse(new TextDecoder().decode(bytes));
    return {
      agency: found.agency,
      purposes: Array.isArray(found.purposes) ? found.purposes : [],
      expires: found.exp && new Date(found.exp * 1000),
    };
  } catch {
    return { purposes: [] };
  }
}
