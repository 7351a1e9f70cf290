// Receive events of justice-gateway at a webhook, in Node.js; nothing is read that is not signed.
import { createHash, createPublicKey, verify, type JsonWebKey } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";

export type CloudEvent = { id: string; type: string; time: string; data: Record<string, string | null> };
/** The ids of events that were handled; keep them in a database, with what follows from them. */
export type Seen = { has(id: string): boolean | Promise<boolean>; add(id: string): unknown };
type Key = JsonWebKey & { kid: string; alg: string; status: string };

const LARGEST = 1_000_000;
const INPUT = new RegExp(
  '^gateway=(\\("@method" "@target-uri" "content-type" "content-digest"\\);created=(\\d+)' +
    ';keyid="([^"]+)";alg="ed25519";tag="justice-gateway-webhook")$',
);

/** Return a listener for an https server. `url`: of the endpoint, `keys`: /keys of the gateway. */
export function receiver(
  url: string, keys: string, handle: (event: CloudEvent) => unknown, seen: Seen = new Set<string>(),
) {
  return async (request: IncomingMessage, response: ServerResponse): Promise<unknown> => {
    try {
      let body = Buffer.alloc(0);
      for await (const part of request) {
        body = Buffer.concat([body, part]);
        if (body.length > LARGEST) return response.writeHead(413).end();
      }
      if (!(await isSigned(request, body, url, keys))) return response.writeHead(401).end();
      let reply = "";
      for (const event of [JSON.parse(body.toString())].flat() as CloudEvent[]) {
        if (event.type.endsWith(".webhook.challenge")) {
          reply = JSON.stringify({ challenge: event.data.challenge });
        } else if (!(await seen.has(event.id))) {
          await handle(event);
          await seen.add(event.id);
        }
      }
      return response.writeHead(200).end(reply);
    } catch {
      return response.writeHead(500).end(); // the gateway sends it again
    }
  };
}

async function isSigned(request: IncomingMessage, body: Buffer, url: string, keys: string): Promise<boolean> {
  const header = (name: string) => String(request.headers[name] ?? "");
  const [, parameters, created, keyId] = INPUT.exec(header("signature-input")) ?? [];
  const digest = `sha-256=:${createHash("sha256").update(body).digest("base64")}:`;
  const age = Math.abs(Date.now() / 1000 - Number(created));
  if (!(age <= 300) || header("content-digest") !== digest) return false;
  const published = (await (await fetch(keys)).json()).keys as Key[];
  const key = published.find(({ kid, alg, status }) => kid === keyId && alg === "Ed25519" && status !== "REVOKED");
  const [, signature] = /^gateway=:(.+):$/.exec(header("signature")) ?? [];
  const base =
    `"@method": POST\n"@target-uri": ${url}\n"content-type": ${header("content-type")}\n` +
    `"content-digest": ${digest}\n"@signature-params": ${parameters}`;
  if (!key || !signature) return false;
  return verify(null, Buffer.from(base), createPublicKey({ key, format: "jwk" }), Buffer.from(signature, "base64"));
}
