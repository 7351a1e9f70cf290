import { createHash } from "node:crypto";
import { gzipSync } from "node:zlib";
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

/** Leaves each file that a browser loads compressed alone: gateway/http/graphiql.py unpacks for others. */
const compress = () => ({
  name: "compress",
  generateBundle: {
    order: "post",
    handler(_options, bundle) {
      for (const [name, file] of Object.entries(bundle)) {
        if (!name.startsWith("assets/")) continue;
        const source = gzipSync(file.code ?? file.source, { level: 9 });
        this.emitFile({ type: "asset", fileName: `${name}.gz`, source });
        delete bundle[name];
      }
    },
  },
});

/** Has the editor loaded along with the page, not only once the page asks for it. */
const preload = () => ({
  name: "preload",
  transformIndexHtml: {
    order: "post",
    handler(html, { bundle }) {
      const editor = Object.values(bundle).find(({ name }) => name === "monaco-editor");
      const names = [editor.fileName, ...editor.imports].filter((name) => !html.includes(name));
      return names.map((name) => ({
        tag: "link",
        attrs: { rel: "modulepreload", crossorigin: true, href: `/graphiql/${name}`, nonce: NONCE },
        injectTo: "head",
      }));
    },
  },
});

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

// The gateway puts a nonce of its own into each answer.
const NONCE = "__NONCE__";

export default defineConfig({
  base: "/graphiql/",
  html: { cspNonce: NONCE },
  resolve: {
    alias: {
      "monaco-editor/esm/vs/editor/edcore.main.js": `${import.meta.dirname}/src/monaco.js`,
      "prettier/plugins/estree": `${import.meta.dirname}/src/left_out.js`,
      "prettier/parser-babel": `${import.meta.dirname}/src/left_out.js`,
      "prettier/parser-graphql": "prettier/plugins/graphql",
    },
  },
  worker: { format: "es" },
  plugins: [preload(), compress(), record()],
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
