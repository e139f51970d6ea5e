// Has @simplewebauthn/server examine what our authenticator makes. Reads one JSON text; prints "registered" or "verified N", or fails.
import { createRequire } from 'node:module';
import { readFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';

const require = createRequire(process.argv[2] + '/');
const { verifyRegistrationResponse, verifyAuthenticationResponse } = await import(pathToFileURL(require.resolve('@simplewebauthn/server')).href);
const input = JSON.parse(readFileSync(0, 'utf8'));
const common = { expectedOrigin: input.origin, expectedRPID: input.rp, requireUserVerification: true };

const registration = await verifyRegistrationResponse({ ...common, response: input.registration, expectedChallenge: input.registrationChallenge });
if (!registration.verified) throw new Error('not registered');
console.log('registered');

const { credential } = registration.registrationInfo;
const assertion = await verifyAuthenticationResponse({ ...common, response: input.assertion, expectedChallenge: input.assertionChallenge, credential });
if (!assertion.verified) throw new Error('not verified');
console.log('verified ' + assertion.authenticationInfo.newCounter);
