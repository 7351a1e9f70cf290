import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { defineConfig } from "vite";

/** What the build is made of, in the order in which it is hashed. */
const sources = () =>
  [
    ".npmrc",
    "index.html",
    "package-lock.json",
    "package.json",
    "vite.config.js",
    ...readdirSync("src", { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => `${entry.parentPath}/${entry.name}`),
  ].sort();

const sha256 = (content) => createHash("sha256").update(content).digest("hex");

/** Writes built.json: hashes of the sources and of each built file (tests/acceptance/test_graphiql.py). */
const record = () => ({
  name: "record",
  generateBundle: {
    order: "post",
    handler(_options, bundle) {
      const named = (names, content) =>
        Object.fromEntries(names.sort().map((name) => [name, sha256(content(name))]));
      const source = JSON.stringify(
        {
          sources: named(sources(), (name) => readFileSync(name)),
          built: named(
            Object.keys(bundle),
            (name) => bundle[name].code ?? bundle[name].source,
          ),
        },
        null,
        1,
      );
      this.emitFile({ type: "asset", fileName: "built.json", source: `${source}\n` });
    },
  },
});

export default defineConfig({
  base: "/graphiql/",
  // The gateway puts a nonce of its own into each answer.
  html: { cspNonce: "__NONCE__" },
  worker: { format: "es" },
  plugins: [record()],
  build: {
    outDir: "../gateway/http/graphiql",
    emptyOutDir: true,
    assetsInlineLimit: 0,
    sourcemap: false,
    license: { fileName: "licenses.md" },
    // React's "use client" means nothing here.
    rolldownOptions: { checks: { moduleLevelDirective: false } },
    modulePreload: { polyfill: false },
    target: "es2022",
    chunkSizeWarningLimit: 6000,
  },
  server: { proxy: { "/graphql": "http://127.0.0.1:8000" } },
});
