/** What planners need to know of the PKI store: public data only, nothing decrypted. */

/** One certificate authority in force. */
export interface AuthorityView {
  /** `client`, `peer`, or `both` where one authority does all. */
  readonly purpose: 'client' | 'peer' | 'both';
  /** Certificate, PEM. */
  readonly certificate: string;
}

export interface PkiView {
  /** undefined until the store knows the cluster. */
  readonly identity: { readonly uuid: string; readonly token: string } | undefined;
  readonly authorities: readonly AuthorityView[];
  /** The operator's own client certificate, PEM. */
  readonly admin: string | undefined;
}

/** PEM bundle that clients and servers trust (`ca.crt`); '' while there is none. */
export function clientTrust(pki: PkiView): string {
  return bundle(pki, 'client');
}

/** PEM bundle that peers trust (`peer-ca.crt`); '' while there is none. */
export function peerTrust(pki: PkiView): string {
  return bundle(pki, 'peer');
}

function bundle(pki: PkiView, purpose: 'client' | 'peer'): string {
  return pki.authorities
    .filter((each) => each.purpose === purpose || each.purpose === 'both')
    .map((each) => each.certificate.trimEnd())
    .map((pem) => `${pem}\n`)
    .join('');
}
