/** What the page asks of the gateway. Everything goes to the page's own host. */
import { buildSchema } from "graphql";

const { dataset } = document.querySelector("meta[name=gateway]");
export const isDemo = dataset.demo === "true";
export const publicSchema = dataset.publicSchema === "true";
/** Who is signed in on the gateway's pages, and the token that requests of theirs must show. */
const content = (name) => document.querySelector(`meta[name=${name}]`)?.content;
export const signedIn = content("signed-in");
const csrfToken = content("csrf-token");

/**
 * Headers that say who asks: { token, purpose, caseNumber }; without a token who is signed in.
 *
 * fetch takes Latin-1 alone, so the case number goes percent-encoded, as the gateway reads it.
 */
export function headers(who) {
  return {
    ...(who.token && { authorization: `Bearer ${who.token}` }),
    ...(!who.token && csrfToken && { "x-csrf-token": csrfToken }),
    ...(who.purpose && { "x-purpose": who.purpose }),
    ...(who.caseNumber && { "x-case-number": encodeURIComponent(who.caseNumber) }),
  };
}

/**
 * Send one GraphQL request and return { status, answer }; a refusal is an answer too.
 *
 * `parameters`: the body: { query or documentId, variables, operationName }. `signal` ends it.
 * Rejects where there is no answer, or one that is no JSON.
 */
export async function send(parameters, who, signal) {
  const response = await fetch("/graphql", {
    method: "POST",
    headers: {
      accept: "application/graphql-response+json, application/json;q=0.9",
      "content-type": "application/json",
      ...headers(who),
    },
    body: JSON.stringify(parameters),
    signal,
  });
  return { status: response.status, answer: await response.json() };
}

/** Return the answer of a published operation that takes no variables. */
export async function callOperation(name, who, signal) {
  const answer = await fetch(`/operations/${name}`, {
    method: "POST",
    headers: { accept: "application/json", "content-type": "application/json", ...headers(who) },
    body: "{}",
    signal,
  });
  return answer.json();
}

/** Send one GraphQL request and return its answer alone. */
export const ask = async (parameters, who, signal) => (await send(parameters, who, signal)).answer;

/**
 * Return the schema, or null where it is not public and the token does not open it.
 *
 * It comes from /schema.graphql, not by introspection: most callers may not introspect.
 */
export async function loadSchema(token) {
  if (!publicSchema && !token && !signedIn) return null;
  const answer = await fetch("/schema.graphql", { headers: headers({ token }) });
  return answer.ok ? buildSchema(await answer.text(), { assumeValid: true }) : null;
}

/** Return the demo's callers and personas: { callers, citizens, personas }; null elsewhere. */
export async function loadDemo() {
  if (!isDemo) return null;
  const answer = await fetch("/demo/callers");
  return answer.ok ? answer.json() : null;
}

/**
 * Return the published operations that the caller may call, or null where they cannot be listed:
 * [{ name, vi, en, owner, query, purposes, variables }]; `variables` are those of the example.
 */
export async function loadPublished(token) {
  const answer = await fetch("/openapi.json", { headers: headers({ token }) });
  if (!answer.ok) return null;
  const { paths } = await answer.json();
  return Object.entries(paths)
    .filter(([path]) => !/\.v\d+$/.test(path))
    .map(([path, { post }]) => {
      const [vi, en] = post.summary.split(" / ");
      const purpose = post.parameters.find((parameter) => parameter.name === "X-Purpose");
      return {
        name: path.split("/").pop(),
        vi,
        en,
        owner: post.tags[0],
        query: post["x-graphql-document"].trim(),
        purposes: purpose?.schema.enum ?? [],
        variables: post.requestBody.content["application/json"].example ?? {},
      };
    });
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
      scopes: typeof found.scope === "string" ? found.scope.split(" ") : [],
      expires: found.exp && new Date(found.exp * 1000),
    };
  } catch {
    return { purposes: [], scopes: [] };
  }
}
