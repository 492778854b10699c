/** Hosts that cannot be reached, are not trusted, or greet their users oddly. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import {
  changesNothing,
  clearHosts,
  debugLogs,
  expectDone,
  expectRefusal,
  openWardrobe,
  type Wardrobe,
  watchArguments,
} from './environment.ts';
import { openStage, type Stage } from './stage.ts';

let stage: Stage;
let wardrobe: Wardrobe;

beforeAll(async () => {
  stage = await openStage({ name: 'env-ssh', packages: ['fish', 'tcsh'] });
  wardrobe = await openWardrobe(stage);
});
afterEach(() => wardrobe?.wear({}));
afterAll(() => stage?.down());

const plan = () => stage.quorate(['plan', 'bootstrap']);
const bootstrap = (...more: readonly string[]) =>
  stage.quorate(['bootstrap', '--yes', '--new-identity', 'identity.txt', ...more]);

describe('host keys', () => {
  it('refuses unknown ones of all hosts in one go, with fingerprints and both ways to accept them', async () => {
    await wardrobe.wear({ ssh: { knownHosts: './known' } });
    const said = expectRefusal(await changesNothing(stage, () => bootstrap()), 12);
    for (const host of stage.lab.hosts) {
      expect(said).toMatch(new RegExp(`${host.name}: the host key of ${host.ipv4} is not known: ssh-ed25519 SHA256:`));
      expect(said).toContain(await fingerprintOf(host.name));
    }
    expect(said).toContain('3 of 3 hosts cannot be reached');
    expect(said).toContain('--accept-new-host-keys, which adds it to');
    expect(said).toMatch(/pin it in the inventory \(hostKey: "SHA256:/);
    await expect(readFile(join(stage.folder, 'known'))).rejects.toThrow('ENOENT');
  });

  it('writes unknown ones to known_hosts with --accept-new-host-keys, and then knows them', async () => {
    await wardrobe.wear({ ssh: { knownHosts: './known' } });
    expectDone(await stage.quorate(['plan', '--accept-new-host-keys']));
    const known = await readFile(join(stage.folder, 'known'), 'utf8');
    expect(
      known
        .trim()
        .split('\n')
        .map((line) => line.split(' ')[0])
        .sort(),
    ).toEqual(stage.lab.hosts.map((host) => host.ipv4).sort());
    expectDone(await plan());
  });

  it('refuses one that changed between runs, with both fingerprints, whatever the flags', async () => {
    const host = stage.host(2);
    const before = await fingerprintOf(host.name);
    await host.sh('cp -a /etc/ssh /root/ssh; rm /etc/ssh/ssh_host_*; ssh-keygen -q -A; systemctl restart ssh');
    try {
      const after = await fingerprintOf(host.name);
      const said = expectRefusal(await changesNothing(stage, () => bootstrap('--accept-new-host-keys')), 12);
      expect(said).toContain(`etcd-2: the host key of ${host.ipv4} has changed: it shows ssh-ed25519 ${after}`);
      expect(said).toContain(before);
      expect(said).toMatch(/delete line \d+ of /);
      expect(said).not.toMatch(/etcd-[13]:/);
    } finally {
      await host.sh('cp -a /root/ssh/. /etc/ssh; rm -r /root/ssh; systemctl restart ssh');
    }
    expectDone(await plan());
  });
});

describe('connections and logins', () => {
  it('tells of every host that cannot be reached in one go, each with its cause', async () => {
    await wardrobe.wear({ ssh: { connectTimeoutSeconds: 2 } });
    await stage.host(2).sh('systemctl stop ssh.socket ssh.service 2>/dev/null || systemctl stop ssh.service');
    await stage.host(3).linkDown();
    try {
      const said = expectRefusal(await changesNothing(stage, () => bootstrap()), 12);
      expect(said).toContain('2 of 3 hosts cannot be reached');
      expect(said).toContain(`etcd-2: ${stage.host(2).ipv4}:22 refused the connection: nothing listens there`);
      expect(said).toMatch(new RegExp(`etcd-3: (no route to )?${stage.host(3).ipv4}:22( did not answer within 2 s)?`));
    } finally {
      await stage.host(2).sh('systemctl start ssh');
      await stage.host(3).linkUp();
    }
  });

  it('refuses a login that the hosts refuse, naming user and key', async () => {
    await wardrobe.wear({ ssh: { user: 'stranger' } });
    const said = expectRefusal(await changesNothing(stage, () => bootstrap()), 12);
    for (const { name } of stage.lab.hosts) expect(said).toContain(`${name}: `);
    expect(said).toContain(`refused the login as stranger: tried key ${stage.lab.ssh.identityFile}`);
    await wardrobe.wear({ ssh: { identityFiles: './no-such-key' } });
    const missing = expectRefusal(await bootstrap(), 12);
    expect(missing).toContain('no-such-key');
    expect(missing).toMatch(/nothing that it accepts could be tried|tried key/);
  });
});

describe('sudo', () => {
  const password = 'correct horse $(id) \'battery" staple';
  const env = { LAB_SUDO: password };

  beforeAll(async () => {
    for (const host of stage.lab.hosts) {
      await host.sh(`useradd --create-home --shell /bin/bash plain
cp -a /home/ops/.ssh /home/plain/.ssh && chown -R plain: /home/plain/.ssh`);
      await host.sh(['chpasswd'], { stdin: `plain:${password}\n` });
    }
  });

  it('refuses a user who is not in sudoers, on every host, and says what to allow', async () => {
    await wardrobe.wear({ ssh: { user: 'plain' } });
    const said = expectRefusal(await changesNothing(stage, () => bootstrap()), 12);
    for (const { name } of stage.lab.hosts) expect(said).toContain(`${name}: sudo refused plain`);
    expect(said).toContain('NOPASSWD: ALL');
    await wardrobe.wear({ ssh: { user: 'plain', sudo: { passwordEnv: 'LAB_SUDO' } } });
    expect(expectRefusal(await stage.quorate(['plan'], { env }), 12)).toContain(
      'sudo refused plain: not allowed in sudoers',
    );
  });

  it('takes the password from the environment, and it appears in no argument, output or log', async () => {
    for (const host of stage.lab.hosts) await host.putFile('/etc/sudoers.d/plain', 'plain ALL=(ALL) ALL\n', 0o440);
    await wardrobe.wear({ ssh: { user: 'plain', sudo: { passwordEnv: 'LAB_SUDO' } } });
    const wrong = await changesNothing(stage, () =>
      stage.quorate(['bootstrap', '--yes', '--verbose'], { env: { LAB_SUDO: 'wrong battery' } }),
    );
    expect(expectRefusal(wrong, 12)).toContain('etcd-3: sudo refused the password of plain');
    expect(wrong.stderr).not.toContain('wrong battery');
    expect(expectRefusal(await stage.quorate(['plan']), 12)).toContain('LAB_SUDO is not set');

    const args = ['bootstrap', '--yes', '--verbose', '--new-identity', 'identity.txt'];
    const { run, seen } = await watchArguments(stage.start(args, { env }));
    expectDone(run);
    expect(seen).toContain('sudo -k -S');
    for (const text of [seen, run.stdout, run.stderr, await debugLogs(stage)]) {
      expect(text).not.toContain('correct horse');
      expect(text).not.toContain('wrong battery');
    }
    await clearHosts(stage, { env });
  });
});

describe('login shells', () => {
  it('bootstraps through fish, csh, and start files that print, read and change the environment', async () => {
    const noise =
      'echo "Welcome; quorate-steps done"; echo noise >&2; umask 077; cd /tmp; export LC_ALL=de_DE.UTF-8 CDPATH=/\n';
    await stage.host(1).setLoginShell('ops', '/usr/bin/fish');
    await stage.host(1).sh('mkdir -p /etc/fish && echo "echo hello from fish; echo more >&2" >> /etc/fish/config.fish');
    await stage.host(2).setLoginShell('ops', '/bin/tcsh');
    await stage.host(2).sh('echo "echo hello from csh" > /home/ops/.cshrc; chown ops: /home/ops/.cshrc');
    await stage
      .host(3)
      .sh([
        'sh',
        '-euc',
        'for f in /home/ops/.bashrc /root/.bashrc /etc/profile /etc/bash.bashrc; do printf %s "$1" | cat - "$f" > /run/f; cat /run/f > "$f"; done',
        'sh',
        noise,
      ]);
    const noisy = await stage.host(3).sh(['runuser', '-u', 'ops', '--', 'bash', '-ic', 'true'], { timeoutMs: 10_000 });
    expect(noisy).toContain('Welcome');
    await stage.bootstrap();
    expect((await stage.quorate(['plan', '--exit-code'])).status).toBe(0);
    expect((await stage.quorate(['status'])).status).toBe(0);
    await clearHosts(stage);
  });
});

async function fingerprintOf(name: string): Promise<string> {
  const line = await stage.lab.host(name).sh('ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub');
  return line.split(' ')[1] ?? '';
}
