import "./csp.js"; // first: everything after it may insert styles
import "./workers.js";
import "@graphiql/react/style.css";
import "./style/page.css";
import "./style/workbench.css";
import "./style/panels.css";
import "./style/plan.css";
import "./style/access.css";
import { createRoot } from "react-dom/client";
import { Page } from "./page.jsx";

createRoot(document.getElementById("root")).render(<Page />);
