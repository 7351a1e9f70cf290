// A second subgraph: parcels of land, each with its owner by citizen ID or code. Prints its address.
import { createServer } from "node:http";
import { readFileSync } from "node:fs";
import { buildSubgraphSchema } from "@apollo/subgraph";
import { graphql, parse } from "graphql";

const parcels = JSON.parse(readFileSync("parcels.json", "utf8"));
const schema = buildSubgraphSchema([
  {
    typeDefs: parse(readFileSync("parcels.graphql", "utf8")),
    resolvers: {
      Query: { parcels: () => parcels },
      Parcel: { owner: ({ owner }) => owner && { __typename: "Person", id: owner } },
    },
  },
]);
const server = createServer(async (request, response) => {
  const headers = ["authorization", "x-purpose", "x-case-number"].filter((name) => request.headers[name]);
  let body = "";
  for await (const piece of request) body += piece;
  const { query, variables, operationName } = JSON.parse(body);
  const answer = await graphql({ schema, source: query, variableValues: variables, operationName });
  // Nobody but the gateway is told who asks.
  if (headers.length) answer.errors = [{ message: `the router sent ${headers}` }];
  response.setHeader("content-type", "application/json");
  response.end(JSON.stringify(answer));
});
server.listen(0, "127.0.0.1", () => console.log(`http://127.0.0.1:${server.address().port}`));
