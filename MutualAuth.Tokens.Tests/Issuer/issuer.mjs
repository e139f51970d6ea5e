// An issuer of tokens that is not ours, for the tests: oidc-provider, over https, with client certificates. It prints its port, and takes one
// command in JSON on each line of its standard input, such as {"keys":["b","a"]}: publish b and a, and sign with b. It answers with "done".
import { createServer } from 'node:https';
import { readFileSync } from 'node:fs';
import { generateKeyPairSync } from 'node:crypto';
import { createInterface } from 'node:readline';
import Provider from 'oidc-provider';

const [, , certificate, key, authority] = process.argv;
const made = new Map();
let settings = { keys: ['a'], lifetime: 600 };
let handle = (request, response) => response.end();

function keyNamed(kid) {
  if (!made.has(kid)) {
    for (const [name, algorithm, type, options] of [
      [kid, 'ES256', 'ec', { namedCurve: 'P-256' }],
      [`${kid}-rsa`, 'RS256', 'rsa', { modulusLength: 2048 }],
    ]) {
      const jwk = generateKeyPairSync(type, options).privateKey.export({ format: 'jwk' });
      made.set(name, { ...jwk, kid: name, alg: algorithm, use: 'sig' });
    }
  }
  return [made.get(kid), made.get(`${kid}-rsa`)];
}

const machine = { grant_types: ['client_credentials'], redirect_uris: [], response_types: [] };

function restart(port) {
  const provider = new Provider(`https://localhost:${port}`, {
    jwks: { keys: settings.keys.flatMap(keyNamed) },
    clients: [
      {
        ...machine, client_id: 'billing', token_endpoint_auth_method: 'tls_client_auth',
        tls_client_auth_san_dns: 'billing.test', tls_client_certificate_bound_access_tokens: true,
      },
      { ...machine, client_id: 'reports', client_secret: 'a secret of reports', token_endpoint_auth_method: 'client_secret_basic' },
      { ...machine, client_id: 'service', client_secret: 'a secret of the service', token_endpoint_auth_method: 'client_secret_basic' },
    ],
    scopes: ['invoices:read'],
    clientAuthMethods: ['client_secret_basic', 'tls_client_auth'],
    features: {
      devInteractions: { enabled: false },
      clientCredentials: { enabled: true },
      introspection: { enabled: true, allowedPolicy: () => true },
      revocation: { enabled: true, allowedPolicy: () => true },
      mTLS: {
        enabled: true, certificateBoundAccessTokens: true, tlsClientAuth: true, selfSignedTlsClientAuth: false,
        getCertificate: (ctx) => ctx.req.socket.getPeerX509Certificate?.()?.toString(),
        certificateAuthorized: (ctx) => ctx.req.socket.authorized,
        certificateSubjectMatches: (ctx, property, expected) =>
          ctx.req.socket.getPeerX509Certificate().subjectAltName.split(', ').includes(`DNS:${expected}`),
      },
      resourceIndicators: {
        enabled: true,
        defaultResource: () => 'https://invoices.test',
        useGrantedResource: () => true,
        getResourceServerInfo: (ctx, resource) => ({
          scope: 'invoices:read',
          audience: resource,
          accessTokenTTL: settings.lifetime,
          accessTokenFormat: resource === 'https://opaque.test' ? 'opaque' : 'jwt',
          jwt: { sign: { alg: resource === 'https://rsa.test' ? 'RS256' : 'ES256' } },
        }),
      },
    },
  });
  handle = provider.callback();
}

const server = createServer(
  { cert: readFileSync(certificate), key: readFileSync(key), ca: readFileSync(authority), requestCert: true, rejectUnauthorized: false },
  (request, response) => handle(request, response),
);
server.listen(0, '127.0.0.1', () => {
  restart(server.address().port);
  console.log(`port ${server.address().port}`);
});
createInterface({ input: process.stdin })
  .on('line', (line) => {
    settings = { ...settings, ...JSON.parse(line) };
    restart(server.address().port);
    console.log('done');
  })
  .on('close', () => process.exit(0));
