// Watches a query with @defer with Apollo Client; writes each result as a line.
// usage: node defer.mjs <folder of the compiled policies> <file of the request>
import { readFile } from "node:fs/promises";
import { ApolloClient, HttpLink, gql } from "@apollo/client";
import { GraphQL17Alpha9Handler } from "@apollo/client/incremental";

const [folder, file] = process.argv.slice(2);
const { answerCache } = await import(`${folder}/apollo-cache.js`);
const { url, headers, query, variables } = JSON.parse(await readFile(file, "utf-8"));
const client = new ApolloClient({
  cache: answerCache(),
  link: new HttpLink({ uri: url, headers }),
  incrementalHandler: new GraphQL17Alpha9Handler(),
});
const seen = new Set();
const subscription = client.watchQuery({ query: gql(query), variables, errorPolicy: "all" }).subscribe(
  ({ data, dataState, error }) => {
    const line = JSON.stringify({ data, dataState, error: error?.message });
    if (dataState === "empty" || seen.has(line)) return;
    seen.add(line);
    console.log(line);
    if (dataState === "complete") subscription.unsubscribe();
  },
);
