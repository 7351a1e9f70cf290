/** Read a list out of an answer of justice-gateway; a short list never passes for a whole one. */

type Step = string | number;
type Fault = { path?: Step[]; extensions: { code: string; lists?: string[] } };
type Notice = { code: string };
export type Answer = {
  data?: unknown;
  errors?: Fault[];
  extensions?: { notices?: { path: Step[]; notices: Notice[] }[] };
};

/** The answer does not say it. The message is an error's code, a state, TRUNCATED or NEXT_PAGE. */
export class NotKnown extends Error {}

/**
 * Return the records of the list at `path`, and the codes of its person's notices. Throws NotKnown
 * where the list may lack records, or something in them is denied.
 */
export function completeList<Item>(body: Answer, ...path: Step[]): [Item[], string[]] {
  const isBelow = (below: Step[], above: Step[]) => above.every((step, at) => below[at] === step);
  for (const { path: at = [], extensions } of body.errors ?? []) {
    const concerns = isBelow(path, at) || isBelow(at, path);
    const { code, lists } = extensions;
    if (concerns && (lists === undefined || lists.includes(path.slice(at.length).join("."))))
      throw new NotKnown(code);
  }
  const mirrored = (body.extensions?.notices ?? []).filter((one) => isBelow(path, one.path));
  const notices = mirrored.flatMap((one) => one.notices);
  let part: any = body.data;
  for (const step of path) {
    part = part[step];
    notices.push(...(part.notices ?? []));
  }
  if (part.source.state !== "ANSWERED" || part.items === null || part.truncated)
    throw new NotKnown(part.truncated ? "TRUNCATED" : part.source.state);
  return [part.items, notices.map((notice) => notice.code)];
}
