/** The documents that are open, as tabs. */
import { useGraphiQL, useGraphiQLActions } from "@graphiql/react";

const UNTITLED = "chưa đặt tên";

export function OperationTabs() {
  const { addTab, changeTab, closeTab } = useGraphiQLActions();
  const { tabs, current } = useGraphiQL((state) => ({
    tabs: state.tabs,
    current: state.activeTabIndex,
  }));
  const move = ({ key, currentTarget }) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[key];
    if (!step) return;
    const next = (current + step + tabs.length) % tabs.length;
    changeTab(next);
    currentTarget.querySelectorAll("[role=tab]")[next].focus();
  };
  return (
    <div className="operations">
      <div role="tablist" aria-label="Truy vấn đang mở / Open documents" onKeyDown={move}>
        {tabs.map((tab, index) => (
          <button
            key={tab.id}
            type="button"
            role="tab"
            aria-selected={index === current}
            tabIndex={index === current ? 0 : -1}
            onClick={() => changeTab(index)}
          >
            {tab.title === "<untitled>" ? UNTITLED : tab.title}
          </button>
        ))}
      </div>
      {tabs.length > 1 && (
        <button
          type="button"
          className="small"
          aria-label="Đóng truy vấn này / Close this document"
          title="Đóng truy vấn này / Close this document"
          onClick={() => closeTab(current)}
        >
          ×
        </button>
      )}
      <button
        type="button"
        className="small"
        aria-label="Truy vấn mới / New document"
        title="Truy vấn mới / New document"
        onClick={addTab}
      >
        +
      </button>
    </div>
  );
}
