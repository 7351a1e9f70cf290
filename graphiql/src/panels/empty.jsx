/** What a panel says where it has nothing to show: Vietnamese first. */
export const Empty = ({ vi, en }) => (
  <p className="empty">
    {vi} <span lang="en">{en}</span>
  </p>
);
