// Runs the clients graphql-ws and graphql-sse against the gateway at URL, as TOKEN's caller.
// Prints a line of JSON for each thing that happens; "ready" asks the test for an event.
import { createClient as createSseClient } from "graphql-sse";
import { createClient as createSocketClient } from "graphql-ws";
import WebSocket from "ws";

const { URL: url, TOKEN: token, PURPOSE: purpose, CASE_NUMBER: caseNumber } = process.env;
const caller = { Authorization: `Bearer ${token}`, "X-Purpose": purpose, "X-Case-Number": caseNumber };
const query = `subscription($after: String) { lifeEvents(after: $after) {
  edges { node { id kind } } pageInfo { endCursor } sources { state completeUntil } } }`;
const say = (line) => console.log(JSON.stringify(line));

async function follow(name, client) {
  const [answer] = await take(client.iterate({ query: "{ databases { name } }" }), 1);
  say({ name, query: answer.data.databases.length > 0 });
  const answers = client.iterate({ query });
  const first = await answers.next();
  say({ name, ready: first.value.data.lifeEvents.edges.length });
  const second = await answers.next();
  say({ name, event: second.value.data.lifeEvents.edges[0].node });
  await answers.return();
  // The client was away meanwhile: the test has made another event.
  say({ name, away: true });
  await new Promise((resolve) => process.stdin.once("data", resolve));
  const after = second.value.data.lifeEvents.pageInfo.endCursor;
  const [resumed] = await take(client.iterate({ query, variables: { after } }), 1);
  say({ name, resumed: resumed.data.lifeEvents.edges.map((edge) => edge.node) });
}

async function take(answers, count) {
  const taken = [];
  for await (const answer of answers) {
    taken.push(answer);
    if (taken.length === count) break;
  }
  return taken;
}

const socketClient = createSocketClient({
  url: url.replace("http", "ws"),
  webSocketImpl: WebSocket,
  connectionParams: caller,
  retryAttempts: 0,
});
await follow("graphql-ws", socketClient);
await socketClient.dispose();

const sseClient = createSseClient({ url, headers: caller, retryAttempts: 0 });
await follow("graphql-sse", sseClient);
sseClient.dispose();

const refused = createSocketClient({
  url: url.replace("http", "ws"),
  webSocketImpl: WebSocket,
  connectionParams: { Authorization: "Bearer x" },
  retryAttempts: 0,
  on: { closed: (event) => say({ name: "graphql-ws", closed: event.code, reason: event.reason }) },
});
await take(refused.iterate({ query: "{ databases { name } }" }), 1).catch(() => {});

const unauthorized = createSseClient({ url, headers: { Authorization: "Bearer x" }, retryAttempts: 0 });
await take(unauthorized.iterate({ query }), 1).catch((error) =>
  say({ name: "graphql-sse", status: error.response.status }),
);
process.exit(0); // standard input is still open
