/** A button that opens a sheet below the bar; Escape or a click elsewhere closes it. */
import { useRef } from "react";

/** `children`: a function of close(), or what the sheet holds. `onOpen` runs as it opens. */
export function Menu({ id, label, className = "", wide, onOpen, children }) {
  const sheet = useRef(null);
  const close = () => sheet.current?.hidePopover();
  return (
    <>
      <button type="button" className={`button ${className}`} popoverTarget={id} data-menu={id}>
        {label}
        <span aria-hidden="true" className="more">
          ▾
        </span>
      </button>
      <div
        ref={sheet}
        id={id}
        popover="auto"
        className={`sheet ${wide ? "wide" : ""}`}
        onBeforeToggle={(event) => event.newState === "open" && onOpen?.()}
      >
        <button
          type="button"
          className="small close"
          popoverTarget={id}
          popoverTargetAction="hide"
          aria-label="Đóng / Close"
        >
          ×
        </button>
        {typeof children === "function" ? children(close) : children}
      </div>
    </>
  );
}
