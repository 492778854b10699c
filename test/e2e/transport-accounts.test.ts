/** The transport with real accounts: every login shell, start files that print, passwords, sudo. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { SshTarget } from '../../src/domain/controller.ts';
import { openAll, type Transports } from '../../src/transport/open.ts';
import type { Connection } from '../../src/transport/transport.ts';
import { type Account, makeAccount, needPackages } from './accounts.ts';
import { controllerAt, makeWorkshop, needSshd, type Sshd, startSshd, type Workshop, writeKnownHosts } from './sshd.ts';

let shop: Workshop;
let server: Sshd;
let knownHosts: string;
let account: Account;
const opened: Transports[] = [];
const limits = { timeoutMs: 20_000 };

beforeAll(async () => {
  needSshd();
  needPackages('fish', 'csh', 'tcsh', 'sudo');
  shop = makeWorkshop();
  server = await startSshd(shop, { config: ['PasswordAuthentication yes'] });
  knownHosts = writeKnownHosts(shop.path('known_hosts'), [server]);
});

afterEach(async () => {
  await Promise.all(opened.splice(0).map((transports) => transports.close()));
  account.remove();
});

afterAll(() => {
  server.stop();
  shop.remove();
});

async function openAs(target: Partial<SshTarget>, env: Record<string, string> = {}): Promise<Transports> {
  const login = { user: account.user, port: server.port, knownHostsFiles: [knownHosts] };
  const ssh = { ...login, identityFiles: [shop.identity], ...target };
  const transports = await openAll([controllerAt('etcd-1', ssh)], { env, acceptNewHostKeys: false });
  opened.push(transports);
  return transports;
}

async function connectAs(target: Partial<SshTarget> = {}, env: Record<string, string> = {}): Promise<Connection> {
  const { connections, failures } = await openAs(target, env);
  const connection = connections.get('etcd-1');
  if (connection === undefined) throw failures[0];
  return connection;
}

const asUser = {
  script: 'printf "%s\\n" "$(id -un)" "$(pwd)" "$(umask)" "it\'s" "!!"; cat; echo warn >&2; exit 9',
  root: false,
};

describe.each(['/bin/bash', '/bin/sh', '/usr/bin/fish', '/bin/csh', '/bin/tcsh'])('the login shell %s', (shell) => {
  it('runs a script as it is, whatever its start files print and set', async () => {
    account = makeAccount(shell);
    const noise = 'echo hello from the start file; echo oops >/dev/stderr\n';
    account.write('.bashrc', `${noise}umask 077; set -x; export LC_ALL=tr_TR.UTF-8 GREP_OPTIONS=-v\n`);
    account.write('.cshrc', `${noise}umask 077\nset echo\nsetenv GREP_OPTIONS -v\n`);
    const connection = await connectAs();
    if (shell.endsWith('fish')) {
      const script = `mkdir -p ~/.config/fish && echo '${noise.trim()}; umask 077' >~/.config/fish/config.fish`;
      await connection.run({ script, root: false, label: 'preparing fish' }, limits);
    }
    const result = await connection.run({ ...asUser, label: 'testing' }, { ...limits, input: Buffer.from('in\n') });
    expect(result).toEqual({
      status: 9,
      signal: undefined,
      stdout: `${account.user}\n/\n0022\nit's\n!!\nin\n`,
      stderr: 'warn\n',
    });
  });
});

describe('an account', () => {
  it('whose shell runs nothing is told as such, with what it printed', async () => {
    account = makeAccount('/usr/sbin/nologin');
    const connection = await connectAs();
    await expect(connection.run({ ...asUser, label: 'testing' }, limits)).rejects.toMatchObject({
      code: 'unreachable',
      message: `etcd-1: the login shell of ${account.user} ended (status 1) before the script began`,
      detail: 'This account is currently not available.',
    });
  });

  it('may log in with a password from the environment', async () => {
    account = makeAccount();
    const login = { identityFiles: [], passwordEnv: 'SSH_PASSWORD' };
    await connectAs(login, { SSH_PASSWORD: account.password });
    const { failures } = await openAs(login, { SSH_PASSWORD: 'wrong-password' });
    expect(failures[0]?.message).toBe(
      `etcd-1: 127.0.0.1:${server.port} refused the login as ${account.user}: tried password; it accepts publickey, password`,
    );
    expect((await openAs(login)).failures[0]?.message).toContain('SSH_PASSWORD is not set');
  });

  it('may log in with a password that only PAM asks for', async () => {
    account = makeAccount();
    const config = ['UsePAM yes', 'KbdInteractiveAuthentication yes', 'PasswordAuthentication no'];
    const asking = await startSshd(shop, { config });
    try {
      const knownHostsFiles = [writeKnownHosts(shop.path('asking'), [asking])];
      const login = { port: asking.port, knownHostsFiles, identityFiles: [], agent: true, passwordEnv: 'SSH_PASSWORD' };
      await connectAs(login, { SSH_PASSWORD: account.password });
      const { failures } = await openAs(login, { SSH_PASSWORD: 'wrong-password' });
      expect(failures[0]?.message).toContain('set), keyboard-interactive; it accepts publickey, keyboard-interactive');
    } finally {
      asking.stop();
    }
  });

  it('that is not root is told so when the inventory says that it needs no sudo', async () => {
    account = makeAccount();
    const connection = await connectAs({ sudo: 'none' });
    await expect(connection.run({ ...asUser, root: true, label: 'testing' }, limits)).rejects.toMatchObject({
      code: 'unreachable',
      step: 'sudo',
      message: `etcd-1: the login user ${account.user} is not root`,
    });
  });
});

describe.each(['/bin/bash', '/usr/bin/fish', '/bin/csh'])('sudo from %s', (shell) => {
  const who = { script: 'id -un; cat', root: true, label: 'asking who' };
  const input = Buffer.from('in\n');

  beforeEach(() => {
    account = makeAccount(shell);
  });

  it('needs no password where sudoers says so', async () => {
    account.sudoers(`${account.user} ALL=(ALL) NOPASSWD: ALL`);
    const plain = await connectAs({ sudo: 'passwordless' });
    expect((await plain.run(who, { ...limits, input })).stdout).toBe('root\nin\n');
    const needless = await connectAs({ sudo: { passwordEnv: 'SUDO' } }, { SUDO: account.password });
    expect((await needless.run(who, { ...limits, input })).stdout).toBe('root\nin\n');
  });

  it('takes its password from stdin, every time', async () => {
    account.sudoers(`${account.user} ALL=(ALL) ALL`);
    const connection = await connectAs({ sudo: { passwordEnv: 'SUDO' } }, { SUDO: account.password });
    const script = 'id -un; cat; tr "\\0" " " </proc/$PPID/cmdline >&2';
    for (const time of ['first', 'second']) {
      const result = await connection.run({ script, root: true, label: time }, { ...limits, input });
      expect(result).toMatchObject({ status: 0, stdout: 'root\nin\n', stderr: expect.stringContaining('sudo') });
      expect(result.stderr).not.toContain(account.password);
    }
  });

  it('that says no is told with its reason', async () => {
    account.sudoers(`${account.user} ALL=(ALL) ALL`);
    const wrong = await connectAs({ sudo: { passwordEnv: 'SUDO' } }, { SUDO: 'wrong-password' });
    await expect(wrong.run(who, limits)).rejects.toMatchObject({
      ...{ code: 'unreachable', host: 'etcd-1', step: 'sudo' },
      message: `etcd-1: sudo refused the password of ${account.user}`,
      detail: expect.not.stringContaining('wrong-password'),
    });
    const none = await connectAs({ sudo: 'passwordless' });
    await expect(none.run(who, limits)).rejects.toMatchObject({
      message: `etcd-1: sudo refused ${account.user}: it wants a password or a terminal, or ${account.user} may not run /bin/sh as root`,
    });
    account.sudoers(undefined);
    const unlisted = await connectAs({ sudo: { passwordEnv: 'SUDO' } }, { SUDO: account.password });
    await expect(unlisted.run(who, limits)).rejects.toMatchObject({
      message: `etcd-1: sudo refused ${account.user}: not allowed in sudoers, or a terminal is required`,
      detail: expect.stringContaining('not in the sudoers file'),
    });
  });

  it('that wants a terminal is told as such', async () => {
    account.sudoers(`Defaults:${account.user} requiretty\n${account.user} ALL=(ALL) NOPASSWD: ALL`);
    const connection = await connectAs({ sudo: { passwordEnv: 'SUDO' } }, { SUDO: account.password });
    await expect(connection.run(who, limits)).rejects.toMatchObject({
      message: expect.stringContaining('a terminal is required'),
    });
  });
});
