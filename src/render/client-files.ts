/** A client's certificate as files for other tools: PEM, a Kubernetes Secret, kubeadm's layout. Pure. */

/** The bundle, and a client where one was named. */
export interface ClientMaterial {
  readonly cluster: string;
  /** PEM bundle. */
  readonly ca: string;
  /** Client URLs of the members. */
  readonly endpoints: readonly string[];
  readonly name: string | undefined;
  readonly certificate: string | undefined;
  /** PKCS#8 PEM, secret. */
  readonly key: string | undefined;
}

/** All of it. */
export interface WholeClient extends ClientMaterial {
  readonly name: string;
  readonly certificate: string;
  readonly key: string;
}

/** Paths are relative to the folder that is exported to. */
export interface ClientFile {
  readonly path: string;
  readonly mode: number;
  readonly content: string;
}

const PUBLIC = 0o644;
const SECRET = 0o600;

/** `ca.crt`, and `NAME.crt` and `NAME.key` as far as they are there. */
export function pemFiles({ ca, name, certificate, key }: ClientMaterial): readonly ClientFile[] {
  return [
    { path: 'ca.crt', mode: PUBLIC, content: ca },
    ...(certificate === undefined ? [] : [{ path: `${name}.crt`, mode: PUBLIC, content: certificate }]),
    ...(key === undefined ? [] : [{ path: `${name}.key`, mode: SECRET, content: key }]),
  ];
}

/** What `kubeadm init` with an external etcd reads (kubeadm's certificates: `etcd/ca.crt`, `apiserver-etcd-client.{crt,key}`). */
export function kubeadmFiles({ ca, certificate, key }: WholeClient): readonly ClientFile[] {
  const root = 'etc/kubernetes/pki';
  return [
    { path: `${root}/etcd/ca.crt`, mode: PUBLIC, content: ca },
    { path: `${root}/apiserver-etcd-client.crt`, mode: PUBLIC, content: certificate },
    { path: `${root}/apiserver-etcd-client.key`, mode: SECRET, content: key },
  ];
}

/** A Secret of type kubernetes.io/tls with `ca.crt` besides; it holds the key as plain text (base64), so its file is 0600. */
export function secretFile(
  { name, ca, certificate, key, endpoints }: WholeClient,
  namespace: string | undefined,
): ClientFile {
  const data = { 'ca.crt': ca, 'tls.crt': certificate, 'tls.key': key };
  const lines = [
    `# etcd: ${endpoints.join(',')}`,
    'apiVersion: v1',
    'kind: Secret',
    'metadata:',
    `  name: ${JSON.stringify(`etcd-client-${name}`)}`,
    ...(namespace === undefined ? [] : [`  namespace: ${JSON.stringify(namespace)}`]),
    'type: kubernetes.io/tls',
    'data:',
    ...Object.entries(data).map(([key, text]) => `  ${key}: ${Buffer.from(text).toString('base64')}`),
  ];
  return { path: `${name}.secret.yml`, mode: SECRET, content: `${lines.join('\n')}\n` };
}
