/** Runs that are interrupted, that programs read, that follow a saved plan, and what they show of secrets. */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import {
  changesNothing,
  clearHosts,
  debugLogs,
  expectDone,
  expectRefusal,
  openWardrobe,
  until,
  type Wardrobe,
  watchArguments,
} from './environment.ts';
import { openStage, type Running, type Stage } from './stage.ts';

let stage: Stage;
let wardrobe: Wardrobe;

beforeAll(async () => {
  stage = await openStage({ name: 'env-term' });
  wardrobe = await openWardrobe(stage);
  const first = expectDone(await stage.bootstrap());
  expect(first.stdout).toContain('prove');
  await clearHosts(stage);
});
afterEach(async () => {
  await wardrobe.wear({});
  await clearHosts(stage);
});
afterAll(() => stage?.down());

const bootstrap = ['bootstrap', '--yes'];

/** Less the line in which etcd itself tells of its token when it starts. */
const journal = `journalctl -q --no-pager -o cat | grep -v -e '"msg":"starting an etcd server"'`;

async function shows(running: Running, text: string): Promise<void> {
  await until(`it shows "${text}"`, async () => (running.output().includes(text) ? true : undefined));
}

async function locked(): Promise<readonly string[]> {
  const looks = stage.lab.hosts.map(async (host) =>
    (await host.exec('test -e /var/lib/quorate/lock')).status === 0 ? [host.name] : [],
  );
  return (await Promise.all(looks)).flat();
}

describe('Ctrl-C', () => {
  it('once: stops after the current step, gives the lock back, and running again finishes', async () => {
    const running = stage.start(bootstrap);
    await shows(running, '[etcd-2] directory');
    running.kill('SIGINT');
    const said = expectRefusal(await running.ended, 130);
    expect(said).toContain('stopping after the current step');
    expect(said).toMatch(/stopped before "[^"]+", as asked/);
    expect(said).toContain('run the same command again');
    expect(await locked()).toEqual([]);
    expect(await stage.host(1).sh('ls /etc/systemd/system/etcd.service 2>&1 || true')).toContain('No such file');
    expectDone(await stage.bootstrap());
    expectDone(await stage.quorate(['plan', '--exit-code']));
  });

  it('twice: ends at once, and the next run takes over', async () => {
    const running = stage.start(bootstrap);
    await shows(running, '[etcd-2] directory');
    running.kill('SIGINT');
    await sleep(400);
    const since = Date.now();
    running.kill('SIGINT');
    const run = await running.ended;
    expect(Date.now() - since).toBeLessThan(1_500);
    expect(run.status).toBe(130);
    const next = await stage.bootstrap();
    expect(next.stderr).toContain('verified: nothing to do');
    expect(await locked()).toEqual([]);
  });
});

describe('--json', () => {
  it('writes one document to stdout and nothing else, done or refused', async () => {
    const run = expectDone(await stage.quorate([...bootstrap, '--json']));
    const document = JSON.parse(run.stdout);
    expect(document.changed).toBe(true);
    expect(document.plan.stages.map((each: { id: string }) => each.id)).toContain('start');
    expect(JSON.parse(expectDone(await stage.quorate([...bootstrap, '--json'])).stdout).changed).toBe(false);
    await stage.host(3).sh('systemctl stop ssh');
    const refused = await stage.quorate([...bootstrap, '--json']);
    await stage.host(3).sh('systemctl start ssh');
    expect(refused.status).toBe(12);
    expect(JSON.parse(refused.stdout).error).toMatchObject({ code: 'unreachable', exitStatus: 12, host: 'etcd-3' });
  });
});

describe('a saved plan', () => {
  it('runs as it was saved, and is refused once the inventory or the hosts are others', async () => {
    expectDone(await stage.quorate(['plan', 'bootstrap', '--out', 'plan.json']));
    const saved = [...bootstrap, '--plan', 'plan.json'];
    await wardrobe.wear({ etcd: { 'heartbeat-interval': 150 } });
    const otherInventory = expectRefusal(await changesNothing(stage, () => stage.quorate(saved)), 15);
    expect(otherInventory).toContain('plan.json: the inventory has changed since it was made');
    await wardrobe.wear({});
    await stage.host(2).sh('mkdir -m 0755 -p /etc/etcd && chmod 0700 /etc/etcd');
    const otherHosts = expectRefusal(await changesNothing(stage, () => stage.quorate(saved)), 15);
    expect(otherHosts).toContain('the hosts have changed since it was made');
    await stage.host(2).sh('chmod 0755 /etc/etcd');
    expect(expectDone(await stage.quorate(saved)).stderr).toContain('verified: nothing to do');
    expect(expectRefusal(await stage.quorate(saved), 15)).toContain('plan.json: ');
  });
});

describe('secrets', () => {
  it('stand in no output, log, journal or argument of a whole bootstrap with --verbose', async () => {
    const { run, seen } = await watchArguments(stage.start([...bootstrap, '--verbose']));
    expectDone(run);
    const state = await tree(join(stage.folder, '.quorate'));
    const token = /"token":\s*"([0-9a-f]{32})"/.exec(state)?.[1] ?? '';
    expect(token).toHaveLength(32);
    expect(await stage.host(1).sh('cat /etc/etcd/etcd-config.yml')).toContain(token);
    const identity = /AGE-SECRET-KEY-1\w+/.exec(await readFile(join(stage.folder, 'identity.txt'), 'utf8'))?.[0] ?? '';
    expect(identity).not.toBe('');
    expect(seen).toContain('/usr/local/bin/etcd');
    const journals = await Promise.all(stage.lab.hosts.map((host) => host.sh(journal)));
    expect(journals.join('')).toContain('ready to serve client requests');
    const places = {
      stdout: run.stdout,
      stderr: run.stderr,
      log: await debugLogs(stage),
      seen,
      journal: journals.join(''),
    };
    const keys = await Promise.all(
      stage.lab.hosts.map((host) => host.sh('sed -n 2p /etc/etcd/pki/server.key /etc/etcd/pki/client.key')),
    );
    const secrets = [
      token,
      identity,
      ...keys.flatMap((text) => text.trim().split('\n')),
      'PRIVATE KEY-----\n',
      'AGE-SECRET-KEY-',
    ];
    expect(secrets.every((each) => each.length > 12)).toBe(true);
    for (const [place, text] of Object.entries(places)) {
      expect({ place, shown: secrets.filter((each) => text.includes(each)) }).toEqual({ place, shown: [] });
    }
    expect(state).not.toMatch(/BEGIN (EC |RSA )?PRIVATE KEY/);
  });
});

/** All files below a folder, joined. */
async function tree(folder: string): Promise<string> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((each) => each.isFile()).map((each) => join(each.parentPath ?? each.path, each.name));
  return (await Promise.all(files.map((each) => readFile(each, 'utf8')))).join('\n');
}
