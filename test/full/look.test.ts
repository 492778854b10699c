/** `logs`, `doctor` and `verify` on real hosts: whole, broken, cut off and dead. One lab, mended after each. */
import { execFileSync } from 'node:child_process';
import { readFile, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { armor, Decrypter } from 'age-encryption';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { until } from '../e2e/environment.ts';
import { openStage, type Stage } from '../e2e/stage.ts';

interface FindingJson {
  readonly id: string;
  readonly level: string;
  readonly evidence: readonly { readonly host: string; readonly text: string }[];
}

/** What a busy test machine may show besides. */
const load = ['overloaded', 'slow-disk', 'peer-overloaded', 'leader-churn', 'clock-skew'];

describe('looking at a cluster', () => {
  let stage: Stage;
  beforeAll(async () => {
    stage = await openStage({ name: 'look' });
    await stage.bootstrap();
  });
  afterAll(() => stage?.down());

  it('verifies a whole cluster, and writes only where it may', async () => {
    const before = await revision(stage);
    const quiet = await stage.quorate(['verify', '--read-only']);
    expect(`${quiet.status}\n${quiet.stdout}${quiet.stderr}`).toMatch(/^0\n[\s\S]*cluster look: ok\n$/);
    expect(await revision(stage)).toBe(before);
    const run = await stage.quorate(['verify', '--json', '--junit', 'verify.xml']);
    const { state, checks } = JSON.parse(run.stdout);
    expect([run.status, state]).toEqual([0, 'ok']);
    expect(checks.map((each: { id: string }) => each.id)).toEqual(
      ['hosts', 'members', 'leader', 'leader-churn', 'alarms', 'quota', 'fragmentation', 'clocks'].concat([
        ...['divergence', 'proof', 'certificates', 'drift'],
      ]),
    );
    expect(await revision(stage)).toBe(before + 2);
    expect(await stage.etcdctl(1, 'get --prefix quorate --keys-only')).toBe('');
    const xml = await readFile(join(stage.folder, 'verify.xml'), 'utf8');
    expect(xml).toContain('<testsuite name="quorate verify look" tests="12" failures="0" errors="0" skipped="0"');
  });

  it('finds nothing with a whole cluster, its own proofs included', async () => {
    const { run, ids } = await examine(stage);
    expect(ids.filter((each) => !load.includes(each))).toEqual([]);
    expect([0, 2]).toContain(run.status);
  });

  it('shows journals side by side, and neutralises what a hostile line holds', async () => {
    const hostile = 'MESSAGE=gone\\033[2J\\302\\233 \\342\\200\\256x\\nOBJECT_SYSTEMD_UNIT=etcd.service\\n';
    await stage.host(2).sh(`printf '${hostile}SYSLOG_IDENTIFIER=etcd\\n' | logger --journald; journalctl --sync`);
    const run = await stage.quorate(['logs', '--lines', '30']);
    expect(run.status).toBe(0);
    const lines = run.stdout.trimEnd().split('\n');
    expect(lines).toHaveLength(90);
    expect(lines.map((each) => each.slice(0, 24)).toSorted()).toEqual(lines.map((each) => each.slice(0, 24)));
    expect(new Set(lines.map((each) => each.split(' ')[1]))).toEqual(new Set(['etcd-1', 'etcd-2', 'etcd-3']));
    const told = (await stage.quorate(['logs', 'etcd-2', '--lines', '1'])).stdout;
    expect(told).toMatch(/etcd-2 {9}gone\u241b\[2J\ufffd \ufffdx\n$/);
    const json = (await stage.quorate(['logs', 'etcd-2', '--lines', '1', '--json'])).stdout;
    expect(json).not.toMatch(/(?!\n)\p{Cc}|\u202e/u);
    expect(JSON.parse(json)).toMatchObject({ host: 'etcd-2', message: 'gone\u001b[2J\u009b \u202ex' });
    expect((await stage.quorate(['logs', 'etcd-4'])).stderr).toContain('did you mean etcd-1?');
  });

  it('keeps the token out of the lines that etcd writes it to', async () => {
    const { token } = JSON.parse(await readFile(join(stage.folder, '.quorate', 'look', 'cluster.json'), 'utf8'));
    const written = await stage.host(1).sh(`journalctl -u etcd -o cat | grep -c ${token}`);
    expect(Number(written)).toBeGreaterThan(0);
    const { stdout } = await stage.quorate(['logs', '--lines', '5000']);
    expect(stdout).toContain('initial-cluster-token=<redacted>');
    expect(stdout).not.toContain(token);
  });

  it('follows all hosts until it is interrupted, and leaves no process behind', async () => {
    const running = stage.start(['logs', '-f', '--lines', '1']);
    await until('the first lines', async () => (running.output().split('\n').length > 3 ? true : undefined));
    await stage.host(3).sh('systemctl restart etcd');
    await until('a new line', async () => (/etcd-3 .*Started etcd/.test(running.output()) ? true : undefined));
    const count = () => Promise.all(stage.lab.hosts.map((host) => host.sh('pgrep -c journalctl || :')));
    expect((await count()).map(Number)).toEqual([1, 1, 1]);
    running.kill('SIGINT');
    expect((await running.ended).status).toBe(130);
    expect((await count()).map(Number)).toEqual([0, 0, 0]);
  });

  it('ends with its reader, and its processes with it when it is killed', async () => {
    const { inventory } = stage;
    const program = new URL('../../bin/quorate.js', import.meta.url).pathname;
    const shell = `${process.execPath} ${program} logs -f --lines 50 -i ${inventory} | head -n 2`;
    const text = execFileSync('sh', ['-c', shell], { env: { ...process.env, HOME: stage.folder }, timeout: 60_000 });
    expect(String(text).trimEnd().split('\n')).toHaveLength(2);
    const running = stage.start(['logs', '-f', '--lines', '1']);
    await until('the first lines', async () => (running.output().split('\n').length > 3 ? true : undefined));
    running.kill('SIGKILL');
    await running.ended;
    await until('no journalctl is left', async () => {
      const left = await Promise.all(stage.lab.hosts.map((host) => host.sh('pgrep -c journalctl || :')));
      return left.every((each) => Number(each) === 0) ? true : undefined;
    });
  });

  it('tells causes of a broken cluster, and packs them without a secret', async () => {
    await stage.host(3).sh(`cp -a /etc/etcd/pki/peer-ca.crt /root/peer-ca.crt
      pki=$(readlink -f /etc/etcd/pki); cat $pki/ca.crt >$pki/peer-ca.crt; systemctl restart --no-block etcd`);
    await stage.host(1).sh('echo ETCD_NAME=other >/etc/default/etcd');
    await stage.host(2).sh('systemctl stop etcd');
    const found = await until('etcd said so', async () => {
      const { ids, run, findings } = await examine(stage);
      return ids.includes('authority-unknown') && ids.includes('no-quorum') ? { ids, run, findings } : undefined;
    });
    expect(found.run.status).toBe(3);
    expect(found.ids).toEqual(
      expect.arrayContaining(['no-quorum', 'unit-stopped', 'certificate-wrong', 'defaults-ignored', 'unit-waiting']),
    );
    const unknown = found.findings.find((each) => each.id === 'authority-unknown');
    expect(unknown?.evidence.map((each) => each.text).join('\n')).toContain(
      'x509: certificate signed by unknown authority',
    );
    const packed = await stage.quorate(['doctor', '--bundle', 'support.tar.gz']);
    expect(packed.status).toBe(3);
    expect(packed.stdout).toContain('remedy: systemctl start it on the host');
    await expectNoSecrets(stage, 'support.tar.gz');
    expect((await stage.quorate(['doctor', '--bundle', 'support.tar.gz'])).status).toBe(10);
    await stage.host(1).sh('rm /etc/default/etcd');
    await stage.host(3).sh('cat /root/peer-ca.crt >$(readlink -f /etc/etcd/pki)/peer-ca.crt; systemctl stop etcd');
    await Promise.all([2, 3].map((number) => stage.host(number).sh('systemctl start etcd')));
    await expectWhole(stage);
  });

  it('tells that data differs, and names the member', async () => {
    await stage.etcdctl(1, 'put victim AAAABBBBCCCCDDDD');
    await stage.etcdctl(1, 'put after it');
    const [db, config] = ['/var/lib/etcd/member/snap/db', '/etc/etcd/etcd-config.yml'];
    const swap = (from: string, to: string) =>
      stage.host(3).sh(`systemctl stop etcd; sed -i s/${from}/${to}/g ${db}; chown etcd:etcd ${db}`);
    await swap('AAAABBBBCCCCDDDD', 'AAAABBBBCCCCDDDX');
    expect((await stage.host(3).exec('systemctl start etcd')).status).not.toBe(0);
    expect((await examine(stage)).ids).toEqual(expect.arrayContaining(['data-differs', 'unit-failing']));
    await stage
      .host(3)
      .sh(`cp -a ${config} /root/; sed -i s/InitialCorruptCheck=true/InitialCorruptCheck=false/ ${config}
      systemctl restart etcd`);
    const run = await stage.quorate(['verify', '--read-only']);
    expect(run.status).toBe(3);
    expect(run.stdout).toMatch(/divergence +critical +etcd-3 differs from the majority/);
    expect(run.stdout).toMatch(/drift +warning/);
    await swap('AAAABBBBCCCCDDDX', 'AAAABBBBCCCCDDDD');
    await stage.host(3).sh(`cp -a /root/etcd-config.yml ${config}; systemctl start etcd`);
    await stage.etcdctl(1, 'alarm disarm');
    await expectWhole(stage);
  });

  it('says which host is off, and tells the others', async () => {
    await stage.host(3).powerOff();
    const [logs, doctor, verify] = await Promise.all([
      stage.quorate(['logs', '--lines', '2']),
      examine(stage),
      stage.quorate(['verify', '--read-only']),
    ]);
    expect(logs.status).toBe(2);
    expect(logs.stderr).toMatch(/warning: etcd-3: /);
    expect(
      new Set(
        logs.stdout
          .trimEnd()
          .split('\n')
          .map((each) => each.split(' ')[1]),
      ),
    ).toEqual(new Set(['etcd-1', 'etcd-2']));
    expect(doctor.ids).toContain('host-unreachable');
    expect(doctor.ids).not.toContain('no-quorum');
    expect(verify.stdout).toMatch(/hosts +warning +2 of 3 reached/);
    expect(verify.stdout).toMatch(/members +warning +2 of 3 healthy/);
    expect(verify.stdout).toMatch(/divergence +ok +equal on 2 members/);
    expect(verify.stdout).toMatch(/proof +critical/);
  });

  it('works with every member dead, and without the identity', async () => {
    await Promise.all([1, 2].map((number) => stage.host(number).sh('systemctl stop etcd')));
    const { run, ids } = await examine(stage);
    expect(run.status).toBe(3);
    expect(ids).toEqual(expect.arrayContaining(['no-quorum', 'unit-stopped', 'host-unreachable']));
    const verify = await stage.quorate(['verify', '--json']);
    expect(verify.status).toBe(3);
    expect(JSON.parse(verify.stdout).checks.find((each: { id: string }) => each.id === 'divergence').state).toBe(
      'skipped',
    );
    await rm(join(stage.folder, 'identity.txt'));
    const blind = await examine(stage);
    expect(blind.ids).toEqual(expect.arrayContaining(['not-asked', 'unit-stopped']));
    expect(blind.ids).not.toContain('no-quorum');
  });
});

async function examine(stage: Stage) {
  const run = await stage.quorate(['doctor', '--json']);
  const findings: readonly FindingJson[] = JSON.parse(run.stdout).findings ?? [];
  const ids = findings.filter((each) => each.level !== 'past').map((each) => each.id);
  return { run, findings, ids };
}

async function revision(stage: Stage): Promise<number> {
  return JSON.parse(await stage.etcdctl(1, 'get nothing -w json')).header.revision;
}

/** All is well but for the elections that these tests cost. */
async function expectWhole(stage: Stage): Promise<void> {
  let wrong = '';
  const look = async () => {
    const { checks } = JSON.parse((await stage.quorate(['verify', '--json'])).stdout);
    const bad = checks.filter(
      (each: { id: string; state: string }) => each.state !== 'ok' && each.id !== 'leader-churn',
    );
    wrong = JSON.stringify(bad);
    return bad.length === 0 ? true : undefined;
  };
  await until('the cluster is whole', look, 60_000).catch((error) => {
    throw new Error(`${error.message}: ${wrong}`);
  });
}

/** Everything that the lab knows to be secret, and every line of every key. */
async function expectNoSecrets(stage: Stage, file: string): Promise<void> {
  const path = join(stage.folder, file);
  expect(((await stat(path)).mode & 0o777).toString(8)).toBe('600');
  const names = execFileSync('tar', ['-tzf', path], { encoding: 'utf8' }).trimEnd().split('\n');
  for (const each of ['versions.json', 'doctor.json', 'facts.json', 'plan.json', 'status.json', 'certificates.json']) {
    expect(names).toContain(`quorate-look/${each}`);
  }
  expect(names).toEqual(expect.arrayContaining(['quorate-look/journal/etcd-3.log', 'quorate-look/metrics/etcd-1.txt']));
  expect(names.some((each) => each.endsWith('.key'))).toBe(false);
  const text = execFileSync('tar', ['-xzOf', path], { encoding: 'utf8', maxBuffer: 2 ** 28 });
  expect(text).toContain('etcd-config.yml');
  expect(text).toContain('-----BEGIN CERTIFICATE-----');
  const secrets = await secretsOf(stage);
  expect(secrets.length).toBeGreaterThan(20);
  expect(secrets.filter((each) => text.includes(each))).toEqual([]);
  expect(text).not.toContain('PRIVATE KEY');
}

async function secretsOf(stage: Stage): Promise<readonly string[]> {
  const identity = await readFile(join(stage.folder, 'identity.txt'), 'utf8');
  const secret = /AGE-SECRET-KEY-\S+/.exec(identity)?.[0] ?? '';
  const state = join(stage.folder, '.quorate', 'look');
  const { token } = JSON.parse(await readFile(join(state, 'cluster.json'), 'utf8'));
  const decrypter = new Decrypter();
  decrypter.addIdentity(secret);
  const encrypted = execFileSync('find', [state, '-name', '*.age'], { encoding: 'utf8' }).trimEnd().split('\n');
  const opened = await Promise.all(
    encrypted.map(async (each) => decrypter.decrypt(armor.decode(await readFile(each, 'utf8')), 'text')),
  );
  const keys = await Promise.all(stage.lab.hosts.map((host) => host.sh('cat /etc/etcd/pki.d/*/*.key')));
  const lines = [...opened, ...keys].flatMap((each) => each.split('\n')).filter((each) => /^[\w+/=]{16,}$/.test(each));
  return [secret, token, ...lines];
}
