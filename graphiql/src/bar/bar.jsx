/** The bar of the page, one row: what this is, who asks, examples, copies, light or dark. */
import { useGraphiQL, useGraphiQLActions } from "@graphiql/react";
import icon from "../icon.svg";

const THEMES = [
  { theme: null, sign: "◐", vi: "theo máy", en: "as the system" },
  { theme: "light", sign: "○", vi: "sáng", en: "light" },
  { theme: "dark", sign: "●", vi: "tối", en: "dark" },
];

function Theme() {
  const { setTheme } = useGraphiQLActions();
  const current = useGraphiQL((state) => state.theme);
  const index = THEMES.findIndex(({ theme }) => theme === (current ?? null));
  const { sign, vi, en } = THEMES[index];
  return (
    <button
      type="button"
      className="button theme"
      title={`Giao diện: ${vi} / Appearance: ${en}`}
      aria-label={`Giao diện: ${vi} / Appearance: ${en}`}
      onClick={() => setTheme(THEMES[(index + 1) % THEMES.length].theme)}
    >
      <span aria-hidden="true">{sign}</span>
    </button>
  );
}

export const Bar = ({ isDemo, children }) => (
  <header className="bar">
    <a className="home" href="/">
      <img src={icon} alt="" width="28" height="28" />
      <h1>
        Cổng tra cứu dữ liệu tư pháp
        <span lang="en">Justice gateway</span>
      </h1>
    </a>
    {isDemo && (
      <i title="Dữ liệu thử: không có người thật / Synthetic data: nobody here is real">demo</i>
    )}
    <div className="tools">
      {children}
      <Theme />
    </div>
  </header>
);
