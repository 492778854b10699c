/** Clients' certificates on a real cluster: issued, used by the real etcdctl, listed, exported. */
import { readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openStage, type Stage } from './stage.ts';

describe('certificates for clients', () => {
  let stage: Stage;
  const file = (...parts: readonly string[]): string => join(stage.folder, ...parts);
  const text = (...parts: readonly string[]): Promise<string> => readFile(file(...parts), 'utf8');
  const mode = async (...parts: readonly string[]): Promise<number> => (await stat(file(...parts))).mode & 0o777;
  /** etcdctl on the host with a client's certificate from the operator's folder. */
  const etcdctlAs = async (folder: string, name: string, command: string): Promise<string> => {
    const host = stage.host(1);
    await host.putFile('/root/c/ca.crt', await text(folder, 'ca.crt'), 0o644);
    await host.putFile('/root/c/c.crt', await text(folder, `${name}.crt`), 0o644);
    await host.putFile('/root/c/c.key', await text(folder, `${name}.key`), 0o600);
    const flags = '--cacert /root/c/ca.crt --cert /root/c/c.crt --key /root/c/c.key --endpoints https://127.0.0.1:2379';
    return host.sh(`ETCDCTL_API=3 /usr/local/bin/etcdctl ${flags} ${command}`);
  };
  beforeAll(async () => {
    stage = await openStage({ name: 'certs-clients', hosts: 1 });
    await stage.bootstrap();
  });
  afterAll(() => stage?.down());

  it('are issued with a key of their own, and etcd takes them', async () => {
    const run = await stage.quorate(['certs', 'client', 'issue', 'backup', '--out', 'backup', '--ttl', '30d']);
    expect(`${run.status}\n${run.stderr}`).toBe('0\n');
    expect(run.stdout).toMatch(/^issued backup: CN=backup, until .*, serial [0-9a-f]{40}\n/);
    expect(run.stdout + run.stderr).not.toContain('PRIVATE KEY');
    expect(await mode('backup', 'backup.key')).toBe(0o600);
    expect(await etcdctlAs('backup', 'backup', 'put greeting hello')).toBe('OK\n');
    const again = await stage.quorate(['certs', 'client', 'issue', 'backup', '--out', 'backup']);
    expect(again.status).toBe(10);
    expect(again.stderr).toContain('backup.crt: exists already');
  });

  it('go to the runtime directory of the login, and nowhere where there is none', async () => {
    const env = { XDG_RUNTIME_DIR: file('run') };
    expect((await stage.quorate(['certs', 'client', 'issue', 'person'], { env })).status).toBe(0);
    expect(await mode('run', 'quorate', 'certs-clients', 'person.key')).toBe(0o600);
    const none = await stage.quorate(['certs', 'client', 'issue', 'nobody'], { env: { XDG_RUNTIME_DIR: '' } });
    expect(none.status).toBe(10);
    expect(none.stderr).toContain('certs client issue --out DIR');
  });

  it('are signed for a request without its key, and only its public key is taken', async () => {
    const key = ['-newkey', 'rsa:2048', '-nodes', '-keyout', file('apiserver.key')];
    await execa('openssl', ['req', '-new', ...key, '-subj', '/O=system:masters/CN=root', '-out', file('x.csr')]);
    const issue = ['certs', 'client', 'issue', 'kube-apiserver-etcd-client', '--csr', 'x.csr', '--out', 'kube'];
    const run = await stage.quorate(issue);
    expect(`${run.status}\n${run.stderr}`).toBe('0\n');
    const { stdout } = await execa('openssl', [
      'x509',
      '-in',
      file('kube', 'kube-apiserver-etcd-client.crt'),
      '-noout',
      '-subject',
    ]);
    expect(stdout).toBe('subject=CN = kube-apiserver-etcd-client');
    await expect(mode('kube', 'kube-apiserver-etcd-client.key')).rejects.toThrow('ENOENT');
    await writeFile(file('kube', 'kube-apiserver-etcd-client.key'), await text('apiserver.key'), { mode: 0o600 });
    expect(await etcdctlAs('kube', 'kube-apiserver-etcd-client', 'get greeting --print-value-only')).toBe('hello\n');
  });

  it('are refused beyond the policy, and nothing is written', async () => {
    const refused = async (...args: readonly string[]) => {
      const run = await stage.quorate(['certs', 'client', 'issue', ...args, '--out', 'never']);
      expect(run.status).toBe(13);
      return run.stderr;
    };
    expect(await refused('r', '--cn', 'root')).toContain('--allow-root');
    expect(await refused('long', '--ttl', '400d')).toContain("400 d is longer than the policy's 365 d");
    expect(await refused('lost', '--identity', 'nowhere.txt')).toContain('no age identity');
    await expect(stat(file('never'))).rejects.toThrow('ENOENT');
  });

  it('are listed, and told by check', async () => {
    const list = await stage.quorate(['certs', 'client', 'list']);
    expect(list.status).toBe(0);
    for (const name of ['backup', 'person', 'kube-apiserver-etcd-client', 'admin']) {
      expect(list.stdout).toMatch(new RegExp(`^${name} .* current `, 'm'));
    }
    expect((await stage.quorate(['certs', 'client', 'issue', 'backup', '--out', 'second'])).status).toBe(0);
    expect((await stage.quorate(['certs', 'client', 'list'])).stdout).toMatch(/^- +backup +replaced /m);
    const check = await stage.quorate(['certs', 'check']);
    expect(check.status).toBe(0);
    expect(check.stdout).toMatch(/client backup +backup .* ok/);
  });

  it('show their authorities: fingerprints as openssl has them, and where the keys are', async () => {
    const show = await stage.quorate(['certs', 'ca', 'show']);
    expect(show.status).toBe(0);
    const ca = file('.quorate', 'certs-clients', 'ca', 'peer-1.crt');
    const { stdout } = await execa('openssl', ['x509', '-in', ca, '-noout', '-fingerprint', '-sha256']);
    expect(show.stdout).toContain(stdout.split('=')[1] ?? 'none');
    expect(show.stdout).toMatch(/ca\/peer-1\.key\.age, encrypted to 1 age recipients:\n {13}age1/);
  });

  it('are exported as PEM, PKCS #12, Secret and in the layout of kubeadm, and never over what is there', async () => {
    const key = ['--key', join('second', 'backup.key'), '--out', 'export'];
    const run = async (...args: readonly string[]): Promise<string> => {
      const env = { P12_PASSPHRASE: 'correct horse' };
      const { status, stderr } = await stage.quorate(['certs', 'export', ...args, ...key], { env });
      return `${status} ${stderr}`;
    };
    expect(await run('backup')).toBe('0 ');
    expect(await run('backup')).toMatch(/^10 .*exists already/);
    expect(await run('backup', '--force')).toBe('0 ');
    expect(await run('backup', '--format', 'secret', '--namespace', 'ops')).toBe('0 ');
    expect(await run('backup', '--format', 'kubeadm')).toBe('0 ');
    expect(await run('backup', '--format', 'pkcs12')).toMatch(/^10 .*needs a passphrase/);
    expect(await run('backup', '--format', 'pkcs12', '--passphrase-env', 'P12_PASSPHRASE')).toBe('0 ');
    const root = ['export', 'etc', 'kubernetes', 'pki'];
    expect(await text(...root, 'etcd', 'ca.crt')).toBe(await text('backup', 'ca.crt'));
    expect(await text(...root, 'apiserver-etcd-client.crt')).toBe(await text('second', 'backup.crt'));
    for (const secret of [['backup.key'], ['backup.p12'], ['backup.secret.yml']]) {
      expect(await mode('export', ...secret)).toBe(0o600);
    }
    expect(await mode(...root, 'apiserver-etcd-client.key')).toBe(0o600);
    expect(await etcdctlAs('export', 'backup', 'get greeting --print-value-only')).toBe('hello\n');
    const { stdout } = await execa('openssl', [
      'pkcs12',
      '-in',
      file('export', 'backup.p12'),
      '-passin',
      'pass:correct horse',
      '-nodes',
    ]);
    expect(stdout).toContain((await text('second', 'backup.key')).trim());
  });

  it('are not exported with the key of another, nor as root unless that is meant', async () => {
    const other = await stage.quorate(['certs', 'export', 'person', '--key', 'backup/backup.key', '--out', 'wrong']);
    expect(other.status).toBe(13);
    expect(other.stderr).toContain('is not the key of that certificate');
    expect((await stage.quorate(['certs', 'export', 'admin', '--out', 'root'])).status).toBe(13);
    expect((await stage.quorate(['certs', 'export', 'admin', '--allow-root', '--out', 'root'])).status).toBe(0);
    expect(await etcdctlAs('root', 'admin', 'endpoint health 2>&1')).toContain('is healthy');
    expect((await stage.quorate(['certs', 'export', '--out', 'bundle'])).stdout).toMatch(/bundle\/ca\.crt\n$/);
  });
});
