/** `certs rotate` on real hosts: all, some, due, interrupted anywhere, and on members whose keys and certificates were spoilt. One lab, one cluster. */
import { readFile, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { expireLeaves } from './aged-pki.ts';
import { expectHealthy, expectRefusal, expectWords } from './host-state.ts';
import { openStage, type Run, type Stage } from './stage.ts';

const numbers = [1, 2, 3] as const;
const rotate = ['certs', 'rotate', '--yes'] as const;

/** What a host has and serves; a complaint where key, certificate and port do not match. */
const stateScript = `cd /etc/etcd/pki
echo "link $(readlink /etc/etcd/pki)"
echo "generations $(echo $(ls /etc/etcd/pki.d))"
for each in server peer client; do
  [ "$(openssl x509 -in $each.crt -noout -pubkey)" = "$(openssl pkey -in $each.key -pubout)" ] || echo "complaint $each.key is not that of $each.crt"
  echo "$each-key $(openssl pkey -in $each.key -pubout | sha256sum)"
  echo "$each-serial $(openssl x509 -in $each.crt -noout -serial)"
done
served() { openssl s_client -connect "$1" -CAfile "$2" </dev/null 2>/dev/null | openssl x509 -noout -fingerprint -sha256; }
[ "$(served 127.0.0.1:2379 ca.crt)" = "$(openssl x509 -in server.crt -noout -fingerprint -sha256)" ] || echo 'complaint 2379 serves another'
[ "$(served "$1:2380" peer-ca.crt)" = "$(openssl x509 -in peer.crt -noout -fingerprint -sha256)" ] || echo 'complaint 2380 serves another'
echo "process $(systemctl show etcd -p InvocationID,NRestarts)"
`;

type HostState = Readonly<Record<string, string>>;

describe('certs rotate', () => {
  let stage: Stage;
  beforeAll(async () => {
    stage = await openStage({ name: 'certs-rotate' });
    await stage.bootstrap();
  });
  afterAll(() => stage?.down());

  const look = async (number: number): Promise<HostState> => {
    const host = stage.host(number);
    const text = await host.sh(['sh', '-c', stateScript, 'sh', host.ipv4]);
    const lines = text.trim().split('\n');
    return Object.fromEntries(
      lines.map((line) => [line.slice(0, line.indexOf(' ')), line.slice(line.indexOf(' ') + 1)]),
    );
  };
  const lookAtAll = () => Promise.all(numbers.map(look));
  const expectSound = (states: readonly HostState[]): void => {
    expect(states.map((each) => each['complaint'])).toEqual(states.map(() => undefined));
  };
  const done = async (args: readonly string[]): Promise<Run> => {
    const run = await stage.quorate(args);
    expect(run.status, run.stdout + run.stderr).toBe(0);
    return run;
  };
  const openGoals = async (): Promise<number> =>
    JSON.parse(await readFile(join(stage.folder, '.quorate', stage.cluster, 'cluster.json'), 'utf8')).goals.length;
  /** Which of these differ on a host. */
  const changed = (before: HostState, after: HostState): readonly string[] =>
    Object.keys(after).filter((each) => before[each] !== after[each]);

  it('shows what it would do, and changes nothing, without the identity or a yes either', async () => {
    const plan = await stage.quorate(['plan', 'certs', 'rotate', '--exit-code']);
    expect(plan.status, plan.stderr).toBe(2);
    expectWords(plan, ['plan: certs rotate certs-rotate', 'switch over, without a restart', 'pki.d/2']);
    await expectRefusal(stage, ['certs', 'rotate'], { status: 10, words: ['--yes'] });
    await rename(join(stage.folder, 'identity.txt'), join(stage.folder, 'away.txt'));
    try {
      await expectRefusal(stage, rotate, { status: 13, words: ['identity'] });
    } finally {
      await rename(join(stage.folder, 'away.txt'), join(stage.folder, 'identity.txt'));
    }
    expect(await openGoals()).toBe(0);
  });

  it('gives every member new keys and certificates, serves them, removes the old ones, and restarts nothing', async () => {
    const before = await lookAtAll();
    const run = await done(rotate);
    expectWords(run, ['verified: nothing to do']);
    const after = await lookAtAll();
    expectSound(after);
    for (const [index, state] of after.entries()) {
      expect(state['generations']).toBe('2');
      expect(state['process']).toBe(before[index]?.['process']);
      expect(changed(before[index] ?? {}, state)).toHaveLength(8);
    }
    expect(await openGoals()).toBe(0);
    await expectHealthy(stage);
  });

  it('finds nothing due, and says of each certificate until when', async () => {
    const run = await done(['certs', 'rotate', '--due', '--yes']);
    expectWords(run, [
      'nothing to do on 3 hosts',
      /etcd-2: server, peer, client: ends \d{4}-\d\d-\d\d, renewed from/,
      'admin: ends',
    ]);
    expect((await stage.quorate(['plan', 'certs', 'rotate', '--due', '--exit-code'])).status).toBe(0);
  });

  it('rotates one kind on one member, for the same key, and carries the rest over', async () => {
    const before = await lookAtAll();
    await done([...rotate, '--member', 'etcd-2', '--kind', 'server', '--keep-keys']);
    const after = await lookAtAll();
    expectSound(after);
    expect(after.map((each, index) => changed(before[index] ?? {}, each))).toEqual([
      [],
      ['link', 'generations', 'server-serial'],
      [],
    ]);
  });

  it('needs every host, or members by name', async () => {
    await stage.host(3).linkDown();
    try {
      const refused = await stage.quorate(rotate);
      expect(refused.status).toBe(12);
      expectWords(refused, ['etcd-3']);
      expect((await stage.quorate([...rotate, '--member', 'etcd-3'])).status).toBe(12);
      expect([(await look(1))['link'], (await look(2))['link']]).toEqual(['pki.d/2', 'pki.d/3']);
    } finally {
      await stage.host(3).linkUp();
    }
  });

  it('gives a member the names that the inventory adds', async () => {
    await stage.edit((text) => text.replace(/^ {2}etcd-1: \{/m, '$& sans: [etcd.example.org],'));
    const plan = await stage.quorate(['plan', '--exit-code']);
    expect(plan.status).toBe(2);
    expectWords(plan, ['SAN etcd.example.org is missing']);
    await done(['certs', 'rotate', '--due', '--yes']);
    const names = await stage.host(1).sh('openssl x509 -in /etc/etcd/pki/server.crt -noout -ext subjectAltName');
    expect(names).toContain('DNS:etcd.example.org');
    expectSound(await lookAtAll());
    await expectHealthy(stage);
  });

  it('goes on with the same command wherever it was killed, and with no other', { timeout: 300_000 }, async () => {
    // Behind each stage, and under load: certs-proof-rotate.test.ts.
    const points = ['prepare/etcd-2/generation.prepare', 'stage:put', 'switch/etcd-2/pki.switch'];
    const before = await lookAtAll();
    for (const point of points) {
      const killed = await stage.quorate(rotate, { env: { QUORATE_FAILPOINT: point } });
      expect(killed.signal, `${point}\n${killed.stdout}${killed.stderr}`).toBe('SIGKILL');
      expectSound(await lookAtAll());
    }
    expect(await openGoals()).toBe(1);
    const other = await stage.quorate([...rotate, '--kind', 'peer']);
    expect(other.status).toBe(13);
    expectWords(other, ['a rotation is open', 'finish it first: quorate certs rotate']);
    await done(rotate);
    const after = await lookAtAll();
    expectSound(after);
    expect(after.map((each) => Number(each['generations']))).toEqual(
      before.map((each) => Number(each['generations']) + 1),
    );
    expect(await openGoals()).toBe(0);
    await expectHealthy(stage);
  });

  it('mends a member whose folder is gone, one whose key is lost, and one whose certificates have ended', async () => {
    const processes = (await lookAtAll()).map((each) => each['process']);
    await stage.host(1).sh('rm -r /etc/etcd/pki /etc/etcd/pki.d');
    await stage.host(2).sh('rm /etc/etcd/pki/peer.key');
    await expireLeaves(stage, [3]);
    const plan = await stage.quorate(['plan', 'certs', 'rotate', '--due']);
    expectWords(plan, ['its private key is missing', /expired \d{4}/, 'there is none yet']);
    await done(['certs', 'rotate', '--due', '--yes']);
    const after = await lookAtAll();
    expectSound(after);
    expect(after[0]?.['link']).toBe('pki.d/1');
    expect(after.map((each) => each['process'])).toEqual(processes);
    await expectHealthy(stage);
    expect((await stage.quorate(['certs', 'check'])).status).toBe(0);
  });

  it('prepares a member that does not run, and lets its old keys be until it has proved the new ones', async () => {
    await stage.host(2).sh('systemctl stop etcd');
    const run = await done([...rotate, '--member', 'etcd-2']);
    expectWords(run, ['etcd.service does not run', 'proved by nothing until it starts']);
    await stage.host(2).sh('systemctl start etcd');
    const started = await look(2);
    expectSound([started]);
    expect(started['generations']?.split(' ')).toHaveLength(2);
    await done(['certs', 'rotate', '--due', '--yes']);
    expect((await look(2))['generations']?.split(' ')).toHaveLength(1);
    await expectHealthy(stage);
  });
});
