/** Words of the page: Vietnamese first, English beside. */
export const Both = ({ vi, en }) => (
  <>
    {vi} {en && <span lang="en">{en}</span>}
  </>
);

/** Return the two halves of a bilingual description, "vi / en". */
export function halves(text) {
  const [vi, ...en] = (text ?? "").split(" / ");
  return { vi: vi.trim(), en: en.join(" / ").trim() };
}
