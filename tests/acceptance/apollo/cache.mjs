// Writes answers into a cache, one after the other, then reads every query out of it again.
// usage: node cache.mjs <folder of the compiled policies> <file of steps> [plain]
import { readFile } from "node:fs/promises";
import { gql, InMemoryCache } from "@apollo/client";

const [folder, file, plain] = process.argv.slice(2);
const { answerCache } = await import(`${folder}/apollo-cache.js`);
const cache = plain ? new InMemoryCache() : answerCache();
const steps = JSON.parse(await readFile(file, "utf-8"));
const said = [];
for (const { query, variables, data } of steps) {
  try {
    cache.writeQuery({ query: gql(query), variables, data });
  } catch (error) {
    said.push(String(error.message ?? error));
  }
}
const read = steps.map(({ query, variables }) =>
  cache.diff({ query: gql(query), variables, optimistic: false, returnPartialData: true }),
);
const answers = read.map(({ complete, result }) => ({ complete, data: result }));
const records = Object.keys(cache.extract()).filter((key) => key !== "ROOT_QUERY" && key !== "__META");
console.log(JSON.stringify({ answers, records, said }));
