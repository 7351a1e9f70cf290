// node provider.mjs ALGORITHM AUDIENCE JWKS [PORT]: an OpenID Connect issuer on 127.0.0.1 whose
// client `desk` gets access tokens for the gateway by client credentials. JWKS holds its private
// keys. Prints its issuer URL as soon as it listens, and runs until it is ended.
import { createServer } from "node:http";
import Provider from "oidc-provider";

const [algorithm, audience, jwks, port = "0"] = process.argv.slice(2);

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
    ],
    scopes: ["population:read", "civil_status:read"],
    extraTokenClaims: () => ({ agency: "UBND phường (thử)", purposes: ["1.000894"] }),
    features: {
      devInteractions: { enabled: false },
      clientCredentials: { enabled: true },
      resourceIndicators: {
        enabled: true,
        getResourceServerInfo: () => ({
          scope: "population:read civil_status:read",
          audience,
          accessTokenTTL: 3600,
          accessTokenFormat: "jwt",
          jwt: { sign: { alg: algorithm } },
        }),
      },
    },
  });
  server.on("request", provider.callback());
  console.log(issuer);
});
