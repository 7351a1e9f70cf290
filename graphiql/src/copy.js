/** The request at hand as curl, Python and TypeScript; the token is a variable of the environment. */

const TOKEN = "JUSTICE_TOKEN";
const indent = (text, by) => text.replaceAll("\n", `\n${by}`);

/** Quote for a POSIX shell. */
const shell = (text) => `'${text.replaceAll("'", `'\\''`)}'`;

/** Return the body of a request, and its headers but for the token. */
function parts({ query, variables, operationName, documentId, who }) {
  const body = documentId
    ? { documentId, variables }
    : { query, variables, ...(operationName && { operationName }) };
  const headers = {
    "Content-Type": "application/json",
    Accept: "application/graphql-response+json, application/json;q=0.9",
    ...(who.purpose && { "X-Purpose": who.purpose }),
    ...(who.caseNumber && { "X-Case-Number": encodeURIComponent(who.caseNumber) }),
  };
  return { body, headers };
}

function curl(request, address) {
  const { body, headers } = parts(request);
  const lines = [
    `curl -sS ${shell(address)}`,
    ...(request.who.token ? [`-H "Authorization: Bearer $${TOKEN}"`] : []),
    ...Object.entries(headers).map(([name, value]) => `-H ${shell(`${name}: ${value}`)}`),
    `--data-binary ${shell(JSON.stringify(body, null, 1))}`,
  ];
  return `${lines.join(" \\\n  ")}\n`;
}

/** Return a value of JSON as Python writes it. */
function literal(value, by = "") {
  const below = `${by}    `;
  if (value === null || value === undefined) return "None";
  if (typeof value === "boolean") return value ? "True" : "False";
  if (typeof value !== "object") return JSON.stringify(value);
  const isList = Array.isArray(value);
  const [open, close] = isList ? "[]" : "{}";
  const items = Object.entries(value).map(
    ([name, item]) => `${below}${isList ? "" : `${JSON.stringify(name)}: `}${literal(item, below)},\n`,
  );
  return items.length ? `${open}\n${items.join("")}${by}${close}` : open + close;
}

/** Return a text of several lines as Python writes it. */
const block = (text) =>
  /"""|\\|"$/.test(text) ? JSON.stringify(text) : `"""\\\n${text}"""`;

function python(request, address) {
  const { body, headers } = parts(request);
  const { query, ...rest } = body;
  const token = request.who.token ? `    "Authorization": "Bearer " + os.environ["${TOKEN}"],\n` : "";
  const lines = Object.entries(headers)
    .map(([name, value]) => `    ${JSON.stringify(name)}: ${JSON.stringify(value)},\n`)
    .join("");
  return `import json
${token && "import os\n"}from urllib.error import HTTPError
from urllib.request import Request, urlopen

${query ? `query = ${block(query)}\n` : ""}body = ${query ? `{"query": query, **${literal(rest)}}` : literal(rest)}
headers = {
${token}${lines}}
request = Request(${JSON.stringify(address)}, json.dumps(body).encode(), headers)
try:
    response = urlopen(request)
except HTTPError as refusal:  # a refusal says why, too
    response = refusal
print(json.dumps(json.load(response), ensure_ascii=False, indent=2))
`;
}

function typescript(request, address) {
  const { body, headers } = parts(request);
  const token = request.who.token
    ? `    Authorization: \`Bearer \${process.env.${TOKEN}}\`,\n`
    : "";
  const lines = Object.entries(headers)
    .map(([name, value]) => `    ${JSON.stringify(name)}: ${JSON.stringify(value)},\n`)
    .join("");
  return `const response = await fetch(${JSON.stringify(address)}, {
  method: "POST",
  headers: {
${token}${lines}  },
  body: JSON.stringify(${indent(JSON.stringify(body, null, 2), "  ")}),
});
console.log(JSON.stringify(await response.json(), null, 2));
`;
}

/** The languages, by name: each takes a request and the address of the endpoint. */
export const LANGUAGES = { curl, Python: python, TypeScript: typescript };
export { TOKEN };
