// An authority of one's own, and certificates that it vouches for; by openssl.
//
//   const authority = makeAuthority(t);           authority.file: its certificate, authority.ca: the same as text
//   const { cert, key } = authority.issue('www'); two files; for localhost and 127.0.0.1
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { temporaryDirectory } from './server.mjs';

const CURVE = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];

export function makeAuthority(t) {
  const folder = temporaryDirectory(t);
  const at = name => join(folder, name);
  const openssl = (...args) => execFileSync('openssl', args, { stdio: 'pipe' });

  openssl('req', '-x509', ...CURVE, '-keyout', at('ca.key'), '-out', at('ca.pem'), '-subj', '/CN=authority', '-days', '2');
  return {
    file: at('ca.pem'),
    ca: readFileSync(at('ca.pem'), 'utf8'),
    issue(name, names = 'DNS:localhost,IP:127.0.0.1') {
      const [cert, key, wish, extension] = [`${name}.pem`, `${name}.key`, `${name}.csr`, `${name}.ext`].map(at);

      writeFileSync(extension, `subjectAltName=${names}\n`);
      openssl('req', ...CURVE, '-keyout', key, '-out', wish, '-subj', `/CN=${name}`);
      openssl('x509', '-req', '-in', wish, '-CA', at('ca.pem'), '-CAkey', at('ca.key'), '-CAcreateserial', '-extfile', extension,
        '-days', '2', '-out', cert);
      return { cert, key };
    },
  };
}
