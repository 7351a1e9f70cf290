// Follow life events of justice-gateway; silence never passes for "nothing happened".
const QUERY = `query($after: String) { lifeEvents(after: $after) {
  edges { node { id kind date database { name } record person { id } since } }
  pageInfo { hasNextPage endCursor } isWaiting interests denied { kind database state }
  sources { database { name } state completeUntil } } }`;

export type LifeEvent = {
  id: string; kind: string; date: string | null; database: { name: string };
  record: string | null; person: { id: string } | null; since: string | null;
};
type Feed = {
  edges: { node: LifeEvent }[]; pageInfo: { hasNextPage: boolean; endCursor: string };
  isWaiting: boolean; interests: number | null;
  denied: { kind: string; database: string | null; state: string }[];
  sources: { database: { name: string }; state: string; completeUntil: string | null }[];
};
/** `cursor`: to keep once the events are handled; `completeUntil`: by database, null: not known. */
export type Page = {
  events: LifeEvent[]; cursor: string; completeUntil: Record<string, string | null>;
};

/** The answer does not say it: an error's code, NO_INTEREST or DENIED says why. */
export class NotKnown extends Error {}

/** Return a page of the feed. `headers`: Authorization and X-Purpose. */
async function ask(url: string, headers: Record<string, string>, after: string | null): Promise<Feed> {
  const response = await fetch(url, {
    method: "POST",
    headers: { ...headers, "Content-Type": "application/json" },
    body: JSON.stringify({ query: QUERY, variables: { after } }),
  });
  const { data, errors } = await response.json();
  for (const error of errors ?? []) throw new NotKnown(error.extensions.code);
  const feed: Feed = data.lifeEvents;
  if (feed.interests === 0) throw new NotKnown("NO_INTEREST");
  const denied = feed.denied.filter((each) => each.state !== "INCOMPLETE").map((each) => each.kind);
  if (denied.length) throw new NotKnown(`DENIED ${denied.join(" ")}`);
  return feed;
}

/**
 * Yield pages. An event may come twice, with the same id. EVENTS_MISSED among them, and NotKnown
 * CURSOR_EXPIRED: read the people again. Where `completeUntil` is null nothing follows from silence.
 */
export async function* follow(
  url: string, headers: Record<string, string>, after: string | null, seconds = 60, rounds = Infinity,
): AsyncGenerator<Page> {
  for (; rounds > 0; rounds--) {
    const { edges, pageInfo, isWaiting, sources, denied } = await ask(url, headers, after);
    after = pageInfo.endCursor;
    const completeUntil: Page["completeUntil"] = {};
    for (const each of sources) completeUntil[each.database.name] = each.completeUntil;
    for (const each of denied) completeUntil[each.database!] = null; // it can never tell some of them
    yield { events: edges.map((edge) => edge.node), cursor: after, completeUntil };
    if (rounds > 1 && (isWaiting || !pageInfo.hasNextPage))
      await new Promise((resolve) => setTimeout(resolve, seconds * 1000));
  }
}
