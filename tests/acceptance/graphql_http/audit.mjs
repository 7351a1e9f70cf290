// node audit.mjs URL TOKEN: runs all checks of the GraphQL over HTTP audit as the token's caller,
// prints each that is not ok, and a summary as JSON on the last line.
import { auditServer } from "graphql-http";

const [url, token] = process.argv.slice(2);

const results = await auditServer({
  url,
  fetchFn: (input, init = {}) =>
    fetch(input, { ...init, headers: { ...init.headers, authorization: `Bearer ${token}` } }),
});

const notOk = results.filter((result) => result.status !== "ok");
for (const result of notOk) {
  console.log(`${result.status} ${result.id} ${result.name}: ${result.reason}`);
}
console.log(
  JSON.stringify({
    ok: results.length - notOk.length,
    total: results.length,
    notOk: notOk.map((result) => result.id),
  }),
);
process.exit(notOk.length === 0 ? 0 : 1);
