/**
 * What the page remembers: in this tab only, and gone with it.
 *
 * Queries and variables hold citizens' numbers, so GraphiQL's own memory of tabs and history is kept
 * here too, never in localStorage.
 */
import { useState } from "react";

const PREFIX = "justice-gateway:";

/** GraphiQL's storage interface over sessionStorage. */
export const storage = {
  getItem: (key) => sessionStorage.getItem(key),
  setItem: (key, value) => sessionStorage.setItem(key, value),
  removeItem: (key) => sessionStorage.removeItem(key),
  get length() {
    return sessionStorage.length;
  },
  clear: () => sessionStorage.clear(),
};

/** A React state that outlives a reload. */
export function useRemembered(name, initial = "") {
  const [value, setValue] = useState(() => sessionStorage.getItem(PREFIX + name) ?? initial);
  return [
    value,
    (fresh) => {
      sessionStorage.setItem(PREFIX + name, fresh);
      setValue(fresh);
    },
  ];
}

/** The same for a value that JSON can hold. */
export function useRememberedValue(name, initial) {
  const [text, setText] = useRemembered(name, JSON.stringify(initial));
  return [JSON.parse(text), (fresh) => setText(JSON.stringify(fresh))];
}
