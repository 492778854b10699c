import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { kubeadmFiles, pemFiles, secretFile } from '../../../src/render/client-files.ts';

const whole = {
  cluster: 'prod',
  ca: 'CA\n',
  endpoints: ['https://10.0.0.1:2379', 'https://10.0.0.2:2379'],
  name: 'backup',
  certificate: 'CERTIFICATE\n',
  key: 'KEY\n',
};

describe("a client's files", () => {
  it('in PEM are as many as there are', () => {
    expect(pemFiles(whole).map((each) => [each.path, each.mode])).toEqual([
      ['ca.crt', 0o644],
      ['backup.crt', 0o644],
      ['backup.key', 0o600],
    ]);
    expect(pemFiles({ ...whole, key: undefined }).map((each) => each.path)).toEqual(['ca.crt', 'backup.crt']);
    expect(pemFiles({ ...whole, name: undefined, certificate: undefined, key: undefined })).toHaveLength(1);
  });

  it("stand where kubeadm's apiserver reads them", () => {
    expect(kubeadmFiles(whole).map((each) => each.path)).toEqual([
      'etc/kubernetes/pki/etcd/ca.crt',
      'etc/kubernetes/pki/apiserver-etcd-client.crt',
      'etc/kubernetes/pki/apiserver-etcd-client.key',
    ]);
  });

  it('are a Secret of type kubernetes.io/tls with the authorities, in a namespace where one was named', () => {
    const { path, mode, content } = secretFile(whole, '1234');
    expect([path, mode]).toEqual(['backup.secret.yml', 0o600]);
    const manifest = parse(content);
    expect(manifest).toMatchObject({ apiVersion: 'v1', kind: 'Secret', type: 'kubernetes.io/tls' });
    expect(manifest.metadata).toEqual({ name: 'etcd-client-backup', namespace: '1234' });
    const data = Object.entries<string>(manifest.data).map(([key, text]) => [
      key,
      Buffer.from(text, 'base64').toString(),
    ]);
    expect(Object.fromEntries(data)).toEqual({ 'ca.crt': 'CA\n', 'tls.crt': 'CERTIFICATE\n', 'tls.key': 'KEY\n' });
    expect(parse(secretFile(whole, undefined).content).metadata).toEqual({ name: 'etcd-client-backup' });
  });
});
