// Read an answer of justice-gateway that comes in several payloads (@defer).
type Fragment = { id: string; path: (string | number)[]; label?: string };
type Part = { id: string; subPath?: (string | number)[]; data: object; errors?: object[] };
type Extensions = { notices?: object[]; [name: string]: unknown };
type Payload = {
  data?: any; errors?: object[]; extensions?: Extensions; pending?: Fragment[];
  incremental?: Part[]; completed?: { id: string; errors?: object[] }[]; hasNext?: boolean;
};
/** `pending`: not there yet; `failed`: never will be. Fields that are missing say nothing of what they are. */
type Fragments = { pending: Fragment[]; failed: (Fragment & { errors: object[] })[] };
export type Answer = { data?: any; errors: object[]; extensions?: Extensions } & Fragments;

/** Yields the answer as far as it is known, again with each payload; the last has none pending. */
export async function* answers(
  url: string, query: string, variables: object, headers: Record<string, string>,
): AsyncGenerator<Answer> {
  const accept = "multipart/mixed;incrementalSpec=v0.2, application/graphql-response+json";
  const response = await fetch(url, {
    method: "POST",
    headers: { ...headers, "Content-Type": "application/json", Accept: accept },
    body: JSON.stringify({ query, variables }),
  });
  const answer: Answer = { errors: [], pending: [], failed: [] };
  const boundary = /^multipart\/mixed.*boundary="([^"]*)"/.exec(response.headers.get("Content-Type") ?? "");
  if (!boundary) return yield add(answer, await response.json());
  const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader();
  for (let received = ""; ; ) {
    const { done, value } = await reader.read();
    if (done) throw new Error("the answer is not complete");
    const parts = (received + value).split(`\r\n--${boundary[1]}`);
    received = parts.pop()!;
    for (const part of parts.filter((text) => text)) {
      const payload: Payload = JSON.parse(part.slice(part.indexOf("\r\n\r\n")));
      yield add(answer, payload);
      if (!payload.hasNext) return;
    }
  }
}

function add(answer: Answer, payload: Payload): Answer {
  if ("data" in payload) answer.data = payload.data;
  if (payload.extensions) {
    const notices = [...(answer.extensions?.notices ?? []), ...(payload.extensions.notices ?? [])];
    answer.extensions = { ...answer.extensions, ...payload.extensions, ...(notices.length && { notices }) };
  }
  answer.errors.push(...(payload.errors ?? []));
  answer.pending.push(...(payload.pending ?? []));
  for (const { id, subPath = [], data, errors = [] } of payload.incremental ?? []) {
    const { path } = answer.pending.find((fragment) => fragment.id === id)!;
    Object.assign([...path, ...subPath].reduce((value, step) => value[step], answer.data), data);
    answer.errors.push(...errors);
  }
  for (const { id, errors } of payload.completed ?? []) {
    const [fragment] = answer.pending.splice(answer.pending.findIndex((each) => each.id === id), 1);
    if (errors) answer.failed.push({ ...fragment, errors });
    answer.errors.push(...(errors ?? []));
  }
  return answer;
}
