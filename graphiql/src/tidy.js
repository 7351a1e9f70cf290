/** Lays out documents and variables; what it needs is loaded when it is first used. */
import { applyEdits, format } from "jsonc-parser";

/** Return a document laid out, its comments kept; rejects for bad syntax. */
export async function tidyDocument(text) {
  const [prettier, plugin] = await Promise.all([
    import("prettier/standalone"),
    import("prettier/plugins/graphql"),
  ]);
  return prettier.format(text, { parser: "graphql", plugins: [plugin], printWidth: 100 });
}

/** Return variables laid out. */
export const tidyVariables = (text) =>
  applyEdits(text, format(text, undefined, { tabSize: 2, insertSpaces: true }));
