/** `certs check` on real hosts, in every state that it must tell: healthy, damaged, stopped, unreachable, expired. One lab, mended after each. */
import { createPrivateKey, sign } from 'node:crypto';
import { mkdir, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import * as age from 'age-encryption';
import { Decrypter } from 'age-encryption';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runProgram } from '../../src/lab/program.ts';
import { systemEntropy } from '../../src/pki/entropy.ts';
import { issueLeaf, signerOf } from '../../src/pki/issue.ts';
import { readPublicKey } from '../../src/pki/public-key.ts';
import { openStage, type Run, type Stage } from './stage.ts';

interface Row {
  readonly where: string;
  readonly state: string;
  readonly daysLeft?: number;
  readonly findings: readonly { readonly level: string; readonly code: string; readonly text: string }[];
}

const dayMs = 86_400_000;

describe('certs check', () => {
  let stage: Stage;
  beforeAll(async () => {
    stage = await openStage({ name: 'certs-check' });
    await stage.bootstrap();
  });
  afterAll(() => stage?.down());

  it('finds a new cluster in order, without the identity', async () => {
    await rename(join(stage.folder, 'identity.txt'), join(stage.folder, 'away.txt'));
    try {
      const run = await stage.quorate(['certs', 'check']);
      expect(`${run.status}\n${run.stderr}`).toBe('0\n');
      for (const where of ['server.crt', 'peer.crt', 'client.crt', 'ca.crt', 'peer-ca.crt', ':2379', ':2380']) {
        expect(run.stdout).toMatch(new RegExp(`etcd-2 ${where} .* ok`));
      }
      expect(run.stdout).toMatch(/authority client-1 .* 3649 d .* ok/);
      expect(run.stdout).toMatch(/operator admin +root .* ok/);
      expect(run.stdout).toContain("plain http on port 2381 of each host's loopback");
      expect(run.stdout).toContain('certificates of certs-check: ok');
    } finally {
      await rename(join(stage.folder, 'away.txt'), join(stage.folder, 'identity.txt'));
    }
  });

  it('takes its limits from the command line', async () => {
    expect((await stage.quorate(['certs', 'check', '--warn', '400d'])).status).toBe(2);
    expect((await stage.quorate(['certs', 'check', '--warn', '500d', '--crit', '400d'])).status).toBe(3);
    expect((await stage.quorate(['certs', 'check', '--warn', '1d', '--crit', '2d'])).status).toBe(10);
  });

  it('prints one metric family after another for Prometheus', async () => {
    const run = await stage.quorate(['certs', 'check', '--prometheus']);
    expect(run.status).toBe(0);
    expect(run.stdout).toContain('# TYPE quorate_certificate_not_after_timestamp_seconds gauge\n');
    expect(run.stdout).toMatch(
      /quorate_certificate_state\{cluster="certs-check",kind="port",host="etcd-1",where="etcd-1 :2379",common_name="etcd-1"\} 0\n/,
    );
    expect(run.stdout).toContain('quorate_certificates_check_status{cluster="certs-check"} 0\n');
  });

  it('tells a certificate that was renewed on disk and is not served', async () => {
    const host = stage.host(1);
    await host.sh(`cp -a /etc/etcd/pki.d/1 /etc/etcd/elsewhere
      sed -E 's#/etc/etcd/pki/(server|peer)[.]#/etc/etcd/elsewhere/\\1.#' /etc/etcd/etcd-config.yml >/etc/etcd/other.yml
      mkdir -p /run/systemd/system/etcd.service.d
      sed -n 's|^ExecStart=\\(.*\\)\${QUORATE_CONFIG}|[Service]\\nExecStart=\\nExecStart=\\1/etc/etcd/other.yml|p' /etc/systemd/system/etcd.service >/run/systemd/system/etcd.service.d/other.conf
      chgrp etcd /etc/etcd/other.yml; systemctl daemon-reload; systemctl restart etcd`);
    await reissue(stage, { number: 1, purpose: 'server', now: Date.now(), days: 365 });
    const { status, row } = await check(stage);
    expect(status).toBe(3);
    expect(codes(row('etcd-1 server.crt'))).toEqual(['unknown', 'not-served']);
    expect(row('etcd-1 server.crt').findings[1]?.text).toMatch(
      /^port 2379 serves another one \(serial [0-9a-f]{40}, until/,
    );
    expect(codes(row('etcd-1 :2379'))).toEqual([]);
    await host.sh(`cp -a /etc/etcd/elsewhere/server.crt /etc/etcd/pki.d/1/server.crt
      rm -r /run/systemd/system/etcd.service.d /etc/etcd/elsewhere /etc/etcd/other.yml
      systemctl daemon-reload; systemctl restart etcd`);
    await expectMended(stage);
  });

  it('tells a trust bundle that the running etcd was not started with', async () => {
    await stage.host(2).sh(`cp -a /etc/etcd/pki.d/1/ca.crt /root/ca.crt
      cat /etc/etcd/pki.d/1/peer-ca.crt >>/etc/etcd/pki.d/1/ca.crt`);
    const { status, row } = await check(stage);
    expect(status).toBe(3);
    expect(codes(row('etcd-2 ca.crt'))).toEqual(['trust-unknown', 'trust-not-running']);
    await stage.host(2).sh('cp -a /root/ca.crt /etc/etcd/pki.d/1/ca.crt');
    await expectMended(stage);
  });

  it('tells wrong modes, a key of somebody else and a missing name', async () => {
    await stage.host(1).sh('chmod 0644 /etc/etcd/pki.d/1/peer.key; chown etcd /etc/etcd/pki.d/1/peer.crt');
    await stage.host(2).sh(`cp -a /etc/etcd/pki.d/1 /root/keep
      cd /etc/etcd/pki.d/1; cp client.pub server.pub; cp client.key server.key`);
    await stage.edit((text) => text.replace(/(etcd-3: \{ address: "[^"]+")/, '$1, sans: [extra.example.com]'));
    const { status, row } = await check(stage);
    expect(status).toBe(3);
    expect(row('etcd-1 peer.crt').findings.map((each) => each.text)).toEqual([
      'peer.key can be read by everybody (mode 0644)',
      'peer.crt is 0644 etcd:root, not 0644 root:root',
    ]);
    expect(codes(row('etcd-2 server.crt'))).toEqual(['key-mismatch']);
    expect(row('etcd-2 :2379').findings[0]?.text).toContain('every handshake fails: internal error (80)');
    expect(row('etcd-3 :2379').findings.map((each) => each.text)).toEqual(['SAN extra.example.com is missing']);
    await stage.edit((text) => text.replace(', sans: [extra.example.com]', ''));
    await stage.host(1).sh('chmod 0600 /etc/etcd/pki.d/1/peer.key; chown root /etc/etcd/pki.d/1/peer.crt');
    await stage.host(2).sh('cp -a /root/keep/* /etc/etcd/pki.d/1/');
    await expectMended(stage);
  });

  it('tells an expired certificate, on disk and as served', async () => {
    await stage.host(3).sh('cp -a /etc/etcd/pki.d/1/server.crt /root/server.crt');
    await reissue(stage, { number: 3, purpose: 'server', now: Date.now() - 40 * dayMs, days: 30 });
    const { status, row, run } = await check(stage);
    expect(status).toBe(3);
    expect(row('etcd-3 server.crt').findings[0]?.text).toMatch(/^expired (9|10) d ago$/);
    expect(codes(row('etcd-3 :2379'))).toEqual(['expired', 'unknown']);
    expect(row('etcd-3 :2379').daysLeft).toBeLessThan(0);
    expect(JSON.parse(run.stdout).state).toBe('critical');
    await stage.host(3).sh('cp -a /root/server.crt /etc/etcd/pki.d/1/server.crt');
    await expectMended(stage);
  });

  it('names a host whose pki directory was deleted', async () => {
    await stage.host(1).sh('mv /etc/etcd/pki.d /etc/etcd/gone');
    const { status, row } = await check(stage);
    expect(status).toBe(3);
    for (const file of ['server', 'peer', 'client']) {
      expect(codes(row(`etcd-1 ${file}.crt`))).toEqual(['absent', 'key-missing']);
    }
    expect(codes(row('etcd-1 ca.crt'))).toEqual(['absent']);
    expect(codes(row('etcd-1 :2379'))).toEqual(['handshake']);
    expect(codes(row('etcd-2 :2379'))).toEqual([]);
    await stage.host(1).sh('mv /etc/etcd/gone /etc/etcd/pki.d');
    await expectMended(stage);
  });

  it('works with one member stopped, and with all of them', async () => {
    await stage.host(2).sh('systemctl stop etcd');
    const one = await check(stage);
    expect(one.status).toBe(2);
    expect(one.row('etcd-2 :2380').findings[0]?.text).toMatch(/etcd\.service is inactive$/);
    expect(codes(one.row('etcd-2 server.crt'))).toEqual([]);
    await Promise.all([1, 3].map((number) => stage.host(number).sh('systemctl stop etcd')));
    const all = await check(stage);
    expect(all.status).toBe(2);
    expect(codes(all.row('etcd-3 :2379'))).toEqual(['not-seen']);
    await Promise.all([1, 2, 3].map((number) => stage.host(number).sh('systemctl start etcd')));
    await expectMended(stage);
  });

  it('says which host cannot be reached, tells all the others, and waits no longer than it says', async () => {
    const host = stage.host(3);
    await host.powerCut();
    const route = await runProgram(['ip', '-o', 'route', 'get', host.ipv4]);
    const bridge = /dev (\S+)/.exec(route)?.[1] ?? '';
    // As behind a firewall: nothing says that nobody is there.
    const silent = ['to', host.ipv4, 'lladdr', '02:00:00:00:00:01', 'nud', 'permanent', 'dev', bridge];
    await runProgram(['ip', 'neigh', 'replace', ...silent]);
    const since = Date.now();
    const { status, row } = await check(stage);
    expect(Date.now() - since).toBeLessThan(25_000);
    expect(status).toBe(2);
    expect(codes(row('etcd-3'))).toEqual(['unreachable']);
    expect(row('etcd-1 :2379').state).toBe('ok');
    await runProgram(['ip', 'neigh', 'del', ...silent]);
    await host.start();
    await expectMended(stage);
  });

  it('judges by the hosts alone where the state directory is lost', async () => {
    const state = join(stage.folder, '.quorate');
    await rename(state, `${state}-away`);
    const { status, row } = await check(stage);
    expect(status).toBe(2);
    expect(codes(row('state directory'))).toEqual(['store']);
    expect(row('etcd-1 server.crt').state).toBe('ok');
    await rm(state, { recursive: true, force: true });
    await mkdir(stage.folder, { recursive: true });
    await rename(`${state}-away`, state);
    await expectMended(stage);
  });
});

async function check(stage: Stage): Promise<{ status: number | null; run: Run; row: (where: string) => Row }> {
  const run = await stage.quorate(['certs', 'check', '--json']);
  const rows: readonly Row[] = JSON.parse(run.stdout).certificates;
  const row = (where: string): Row => {
    const found = rows.find((each) => each.where === where);
    if (found === undefined) throw new Error(`no row ${where} in ${rows.map((each) => each.where).join(', ')}`);
    return found;
  };
  return { status: run.status, run, row };
}

function codes(row: Row): readonly string[] {
  return row.findings.map((each) => each.code);
}

async function expectMended(stage: Stage): Promise<void> {
  await expect
    .poll(async () => (await stage.quorate(['certs', 'check'])).stdout, { timeout: 30_000, interval: 1000 })
    .toContain('certificates of certs-check: ok');
}

/** Puts a certificate for the member's own key on its disk that the authority has signed and the journal does not know. */
async function reissue(
  stage: Stage,
  { number, purpose, now, days }: { number: number; purpose: 'server' | 'peer'; now: number; days: number },
): Promise<void> {
  const state = join(stage.folder, '.quorate', stage.cluster);
  const authority = await readFile(join(state, 'ca', 'client-1.crt'), 'utf8');
  const identity = /^AGE-SECRET-KEY-.*$/m.exec(await readFile(join(stage.folder, 'identity.txt'), 'utf8'))?.[0] ?? '';
  const decrypter = new Decrypter();
  decrypter.addIdentity(identity);
  const armored = await readFile(join(state, 'ca', 'client-1.key.age'), 'utf8');
  const key = createPrivateKey(await decrypter.decrypt(age.armor.decode(armored), 'text'));
  const host = stage.host(number);
  const issued = issueLeaf(signerAt(authority, key, now), {
    profile: {
      purpose,
      commonName: host.name,
      organization: '',
      sans: { dns: ['localhost', host.name], ip: ['127.0.0.1', '::1', host.ipv4] },
      algorithm: 'ecdsa-p256',
    },
    publicKey: readPublicKey(await host.sh(`cat /etc/etcd/pki.d/1/${purpose}.pub`), 'ecdsa-p256'),
    policy: { leafLifetimeDays: days, backdateMinutes: 5 },
    serial: systemEntropy.serial(),
    now,
  });
  await host.putFile(`/etc/etcd/pki.d/1/${purpose}.crt`, issued.pem, 0o644);
}

/** The authority as if it had begun long ago, so that a leaf can lie in the past. */
function signerAt(pem: string, key: ReturnType<typeof createPrivateKey>, now: number) {
  const signer = signerOf(pem, (data, hash) => sign(hash, data, key));
  return { ...signer, facts: { ...signer.facts, notBefore: Math.min(signer.facts.notBefore, now - dayMs) } };
}
