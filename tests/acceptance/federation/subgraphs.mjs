// Two more subgraphs: parcels of land, each with its owner by citizen ID, and titles, each with what it
// states about its owner. Prints their addresses.
import { createServer } from "node:http";
import { readFileSync } from "node:fs";
import { buildSubgraphSchema } from "@apollo/subgraph";
import { graphql, parse } from "graphql";

const rows = JSON.parse(readFileSync("rows.json", "utf8"));
const person = (key) => key && { __typename: "Person", ...key };
const types = { parcels: "Parcel", titles: "Title" };
const schemas = Object.fromEntries(Object.entries(types).map(([name, type]) => [
  name,
  buildSubgraphSchema([
    {
      typeDefs: parse(readFileSync(`${name}.graphql`, "utf8")),
      resolvers: { Query: { [name]: () => rows[name] }, [type]: { owner: ({ owner }) => person(owner) } },
    },
  ]),
]));
const server = createServer(async (request, response) => {
  const headers = ["authorization", "x-purpose", "x-case-number"].filter((name) => request.headers[name]);
  let body = "";
  for await (const piece of request) body += piece;
  const { query, variables, operationName } = JSON.parse(body);
  const schema = schemas[request.url.slice(1)];
  const answer = await graphql({ schema, source: query, variableValues: variables, operationName });
  // Nobody but the gateway is told who asks.
  if (headers.length) answer.errors = [{ message: `the router sent ${headers}` }];
  response.setHeader("content-type", "application/json");
  response.end(JSON.stringify(answer));
});
server.listen(0, "127.0.0.1", () => {
  const urls = Object.keys(types).map((name) => [name, `http://127.0.0.1:${server.address().port}/${name}`]);
  console.log(JSON.stringify(Object.fromEntries(urls)));
});
