// node provider.mjs ALGORITHM AUDIENCE JWKS [PORT] [GATEWAY] [TTL]: an OpenID Connect issuer on
// 127.0.0.1. Its client `desk` gets access tokens for the gateway by client credentials; people
// sign in to the client `gateway-pages` with their name as the password, and are sent back to
// GATEWAY. JWKS holds its private keys; TTL is the life of access tokens in seconds. Prints its
// issuer URL as soon as it listens, and runs until it is ended.
import { createServer } from "node:http";
import Provider from "oidc-provider";

const [algorithm, audience, jwks, port = "0", gateway = "", ttl = "3600"] = process.argv.slice(2);

const people = { an: "Nguyễn Thị An", binh: "Trần Văn Bình" };
const checks = ["no-sanction-check", "1.000894"];
const scopes = ["population:read", "civil_status:read", "procedures:check"];

const pages = {
  client_id: "gateway-pages",
  client_secret: "pages-secret",
  grant_types: ["authorization_code", "refresh_token"],
  response_types: ["code"],
  redirect_uris: [`${gateway}/sign-in/callback`],
  post_logout_redirect_uris: [`${gateway}/sign-out`],
};

function page(response, body) {
  response.setHeader("content-type", "text/html; charset=utf-8");
  response.end(`<!doctype html><html lang="vi"><title>Nơi xác thực</title><main>${body}</main>`);
}

async function fields(request) {
  const chunks = [];
  for await (const chunk of request) chunks.push(chunk);
  return new URLSearchParams(Buffer.concat(chunks).toString());
}

async function interact(provider, request, response) {
  const { uid } = await provider.interactionDetails(request, response);
  if (request.method !== "POST") {
    page(
      response,
      `<h1>Nơi xác thực</h1><form method="post" action="/interaction/${uid}">
       <label>Tên <input name="login"></label>
       <label>Mật khẩu <input name="password" type="password"></label>
       <button>Vào</button> <button name="cancel" value="1">Thôi</button></form>`,
    );
    return;
  }
  const sent = await fields(request);
  const known = Object.hasOwn(people, sent.get("login")) && sent.get("password") === sent.get("login");
  const result =
    sent.get("cancel") || !known
      ? { error: "access_denied", error_description: "nobody signed in" }
      : { login: { accountId: sent.get("login") } };
  await provider.interactionFinished(request, response, result, {
    mergeWithLastSubmission: false,
  });
}

async function grantEverything(ctx) {
  const grant = new ctx.oidc.provider.Grant({
    clientId: ctx.oidc.client.clientId,
    accountId: ctx.oidc.session.accountId,
  });
  grant.addOIDCScope(["openid", "profile", "offline_access", ...scopes].join(" "));
  grant.addResourceScope(audience, scopes.join(" "));
  await grant.save();
  return grant;
}

const server = createServer();
server.listen(Number(port), "127.0.0.1", () => {
  const issuer = `http://127.0.0.1:${server.address().port}`;
  const provider = new Provider(issuer, {
    jwks: JSON.parse(jwks),
    clients: [
      {
        client_id: "desk",
        client_secret: "desk-secret",
        grant_types: ["client_credentials"],
        redirect_uris: [],
        response_types: [],
      },
      ...(gateway ? [pages] : []),
    ],
    scopes: ["openid", "profile", "offline_access", ...scopes],
    claims: { openid: ["sub"], profile: ["name"] },
    conformIdTokenClaims: false,
    findAccount: (_, id) => ({ accountId: id, claims: () => ({ sub: id, name: people[id] }) }),
    loadExistingGrant: grantEverything,
    issueRefreshToken: () => true,
    rotateRefreshToken: true,
    interactions: { url: (_, interaction) => `/interaction/${interaction.uid}` },
    extraTokenClaims: (_, token) => ({
      agency: "UBND phường (thử)",
      purposes: token.accountId ? checks : ["1.000894"],
    }),
    features: {
      devInteractions: { enabled: false },
      clientCredentials: { enabled: true },
      rpInitiatedLogout: {
        logoutSource: (ctx, form) => {
          ctx.body = `<!doctype html><html lang="vi"><title>Đăng xuất</title><main>${form}
            <button form="op.logoutForm" name="logout" value="yes">Đăng xuất</button></main>`;
        },
      },
      resourceIndicators: {
        enabled: true,
        getResourceServerInfo: () => ({
          scope: scopes.join(" "),
          audience,
          accessTokenTTL: Number(ttl),
          accessTokenFormat: "jwt",
          jwt: { sign: { alg: algorithm } },
        }),
      },
    },
  });
  const answer = provider.callback();
  server.on("request", (request, response) => {
    if (request.url.startsWith("/interaction/")) {
      interact(provider, request, response).catch((error) => {
        response.statusCode = 500;
        response.end(String(error));
      });
    } else answer(request, response);
  });
  console.log(issuer);
});
