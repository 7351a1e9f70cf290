/** GraphiQL's documentation of the schema; loaded when it is first opened. */
import "@graphiql/plugin-doc-explorer/style.css";
import { DocExplorer, DocExplorerStore } from "@graphiql/plugin-doc-explorer";

export default function Docs() {
  return (
    <DocExplorerStore>
      <DocExplorer />
    </DocExplorerStore>
  );
}
