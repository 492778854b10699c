/** Symptoms of certificates and keys. Issues are those of etcd-io/etcd. */
import { inOrder, REPEATED_MS, type Symptom } from './symptom.ts';

export const certificateSymptoms = {
  'certificate-expired': {
    level: 'critical',
    cause: 'a certificate has expired: whoever is shown it refuses the connection (#15740, #15949)',
    remedy:
      'quorate certs check names it; a certificate is read again at each handshake, so a new one needs no restart',
    lines: [inOrder('x509: certificate has expired or is not yet valid', ' is after '), /tls: expired certificate/],
    freshMs: REPEATED_MS,
  },
  'certificate-early': {
    level: 'critical',
    cause:
      'a certificate is not valid yet: the clock of the host that judges it is behind, or that of its issuer was ahead',
    remedy: 'synchronise the clocks (systemctl enable --now systemd-timesyncd), then quorate certs check',
    lines: [inOrder('x509: certificate has expired or is not yet valid', ' is before ')],
    freshMs: REPEATED_MS,
  },
  'certificate-ending': {
    level: 'warning',
    cause: 'a certificate ends soon',
    remedy: 'quorate certs check tells which and when',
  },
  'certificate-wrong': {
    level: 'critical',
    cause: 'a certificate, key or trust bundle is missing, damaged, or another than it should be',
    remedy: 'quorate certs check tells what is on disk, what is served and what should be',
  },
  'certificate-doubtful': {
    level: 'warning',
    cause: 'a certificate, key or trust bundle is not quite as it should be',
    remedy: 'quorate certs check tells what is on disk, what is served and what should be',
  },
  'authority-unknown': {
    level: 'critical',
    cause:
      'one side shows a certificate of an authority that the other does not trust; a bundle is read once, when etcd starts (#14324, #11555)',
    remedy:
      'quorate certs check compares issuers and bundles of all members, and what each running etcd was started with; restart a member whose bundle is newer than its process',
    lines: [/x509: certificate signed by unknown authority/, /tls: unknown certificate authority/],
    freshMs: REPEATED_MS,
    byProofs: true,
  },
  'certificate-refused': {
    level: 'critical',
    cause:
      'a certificate is refused by the other side, which does not say why: expired, of an unknown authority, or for another use (#14324)',
    remedy:
      'the log of the other side says why (quorate logs); quorate certs check judges every certificate and bundle',
    lines: [/remote error: tls: bad certificate/],
    freshMs: REPEATED_MS,
    byProofs: true,
  },
  'certificate-names': {
    level: 'critical',
    cause: 'a certificate does not carry the address under which its owner is dialled or from which it dials',
    remedy:
      'quorate certs check compares SANs with the inventory; every address that a member dials from must be in its peer certificate',
    lines: [
      inOrder('x509: certificate is valid for ', ', not '),
      inOrder('x509: cannot validate certificate for ', " because it doesn't contain any IP SANs"),
      /does not match any of DNSNames/,
    ],
    freshMs: REPEATED_MS,
  },
  'certificate-absent': {
    level: 'warning',
    cause: 'somebody connects without a client certificate, and is refused',
    remedy: 'give that client one (quorate certs client issue); remote-addr says where it is',
    lines: [/client didn't provide a certificate/, /tls: first record does not look like a TLS handshake/],
    byProofs: true,
  },
  'certificate-revoked': {
    level: 'warning',
    cause: 'somebody connects with a certificate that the CRL revokes, and is refused',
    remedy: 'find out who still holds it; a client that should go on needs a new one (quorate certs client issue)',
    lines: [inOrder('certificate ', 'revoked')],
  },
  'key-mismatch': {
    level: 'critical',
    cause: 'a certificate and the key beside it do not belong together: one of them was replaced alone',
    remedy: 'quorate certs check names the pair; both must be switched at once',
    lines: [/tls: private key does not match public key/],
  },
  'key-missing': {
    level: 'critical',
    cause: 'a file of the certificates is not where the configuration says',
    remedy: 'quorate certs check tells which; quorate plan shows whether the configuration is as it should be',
    lines: [/open \S+\.(crt|pem|key): no such file/],
  },
} as const satisfies Readonly<Record<string, Symptom>>;
