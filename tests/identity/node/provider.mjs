// A certified OpenID provider on a free port of the loopback address; its first line on standard output says where it is.
// The device flow, refresh tokens that work once, revocation, and access tokens (JWT) for one audience.

import http from "node:http";

import Provider from "oidc-provider";

const seconds = Number(process.argv[2] ?? 300);
const audience = "https://ai.northwind.example";

const server = http.createServer();
server.listen(0, "127.0.0.1", () => {
  const issuer = `http://127.0.0.1:${server.address().port}`;
  const provider = new Provider(issuer, {
    clients: [
      {
        client_id: "ordain",
        token_endpoint_auth_method: "none",
        application_type: "native",
        grant_types: ["urn:ietf:params:oauth:grant-type:device_code", "refresh_token"],
        response_types: [],
        redirect_uris: [],
      },
    ],
    cookies: { keys: ["a key for tests"] },
    features: {
      deviceFlow: { enabled: true },
      revocation: { enabled: true },
      resourceIndicators: {
        enabled: true,
        getResourceServerInfo: () => ({ scope: "", audience, accessTokenFormat: "jwt", accessTokenTTL: seconds }),
        useGrantedResource: () => true,
      },
    },
    rotateRefreshToken: true,
  });
  server.on("request", provider.callback());
  console.log(JSON.stringify({ issuer, audience }));
});
