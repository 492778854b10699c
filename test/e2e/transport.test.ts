/** The transport against real sshd processes on loopback: host keys, logins, bastions, scripts, tunnels, failures. */
import { execFileSync, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { connect as connectHttp2, createSecureServer } from 'node:http2';
import { createConnection, createServer, type Server } from 'node:net';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { connect as connectTls } from 'node:tls';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { SshTarget } from '../../src/domain/controller.ts';
import { openAll, type Transports } from '../../src/transport/open.ts';
import type { TransportOptions } from '../../src/transport/session.ts';
import type { Connection } from '../../src/transport/transport.ts';
import {
  controllerAt,
  freePort,
  makeHostKey,
  makeKey,
  makeWorkshop,
  needSshd,
  type Sshd,
  startSshd,
  targetDefaults,
  type Workshop,
  writeKnownHosts,
} from './sshd.ts';

let shop: Workshop;
let server: Sshd;
let knownHosts: string;
const opened: Transports[] = [];
const limits = { timeoutMs: 20_000 };

beforeAll(async () => {
  needSshd();
  shop = makeWorkshop();
  server = await startSshd(shop, { config: ['SetEnv SHLVL=9'] });
  knownHosts = writeKnownHosts(shop.path('known_hosts'), [server]);
});

afterEach(async () => {
  await Promise.all(opened.splice(0).map((transports) => transports.close()));
});

afterAll(() => {
  server.stop();
  shop.remove();
});

async function open(target: Partial<SshTarget>, options: Partial<TransportOptions> = {}): Promise<Transports> {
  const ssh = { port: server.port, identityFiles: [shop.identity], knownHostsFiles: [knownHosts], ...target };
  const transports = await openAll([controllerAt('etcd-1', ssh)], { env: {}, acceptNewHostKeys: false, ...options });
  opened.push(transports);
  return transports;
}

async function connect(target: Partial<SshTarget> = {}, options: Partial<TransportOptions> = {}): Promise<Connection> {
  const { connections, failures } = await open(target, options);
  const connection = connections.get('etcd-1');
  if (connection === undefined) throw failures[0];
  return connection;
}

async function failure(target: Partial<SshTarget>, options: Partial<TransportOptions> = {}) {
  const { failures } = await open(target, options);
  const [error] = failures;
  if (error === undefined) throw new Error('it connected');
  expect(error).toMatchObject({ host: 'etcd-1', message: expect.stringMatching(/^etcd-1: /) });
  return error;
}

const greet = { script: 'echo hello', root: true, label: 'greeting' };

describe('host keys', () => {
  const fingerprintOf = (key: string): string =>
    execFileSync('ssh-keygen', ['-lf', '-'], { input: key, encoding: 'utf8' }).split(' ')[1] ?? '';

  it('refuses an unknown key with its fingerprint and the two ways to accept it', async () => {
    const error = await failure({ knownHostsFiles: [shop.path('none')] });
    const [key = ''] = server.hostKeys;
    expect(error.code).toBe('untrusted');
    expect(error.message).toBe(
      `etcd-1: the host key of [127.0.0.1]:${server.port} is not known: ssh-ed25519 ${fingerprintOf(key)}`,
    );
    expect(error.hint).toContain(`hostKey: "${fingerprintOf(key)}"`);
    expect(error.hint).toContain(`--accept-new-host-keys, which adds it to ${shop.path('none')}`);
    expect(existsSync(shop.path('none'))).toBe(false);
  });

  it('writes new keys of several hosts at once, which are known from then on', async () => {
    const others = await Promise.all([startSshd(shop), startSshd(shop), startSshd(shop)]);
    try {
      const file = shop.path('ssh/new');
      const targets = others.map((other, index) =>
        controllerAt(`etcd-${index}`, { port: other.port, identityFiles: [shop.identity], knownHostsFiles: [file] }),
      );
      const first = await openAll(targets, { env: {}, acceptNewHostKeys: true });
      await first.close();
      expect(first.failures).toEqual([]);
      const lines = others.map((other) => `[127.0.0.1]:${other.port} ${other.hostKeys[0]?.split(' ', 2).join(' ')}`);
      expect(readFileSync(file, 'utf8').trim().split('\n').sort()).toEqual(lines.sort());
      expect(statSync(file).mode & 0o777).toBe(0o600);
      const second = await openAll(targets, { env: {}, acceptNewHostKeys: false });
      await second.close();
      expect(second.failures).toEqual([]);
    } finally {
      for (const other of others) other.stop();
    }
  });

  it('ends a last line without its end before it adds one', async () => {
    const file = shop.path('unended');
    writeFileSync(file, '# no newline', { mode: 0o600 });
    await connect({ knownHostsFiles: [file] }, { acceptNewHostKeys: true });
    expect(readFileSync(file, 'utf8')).toMatch(/^# no newline\n\[127\.0\.0\.1\]:\d+ ssh-ed25519 \S+\n$/);
  });

  it('refuses a changed key, accepting new ones or not, with both fingerprints and the line of the old one', async () => {
    makeKey(shop.path('other'), 'ed25519');
    const other = readFileSync(shop.path('other.pub'), 'utf8');
    const file = shop.path('changed');
    writeFileSync(file, `# a comment\n[127.0.0.1]:${server.port} ${other}`);
    const logins = server.log().split('Accepted').length;
    for (const acceptNewHostKeys of [false, true]) {
      const error = await failure({ knownHostsFiles: [file] }, { acceptNewHostKeys });
      expect(error.code).toBe('untrusted');
      expect(error.message).toContain(`has changed: it shows ssh-ed25519 ${fingerprintOf(server.hostKeys[0] ?? '')}`);
      expect(server.log().split('Accepted').length).toBe(logins);
      expect(error.message).toContain(`but ${file}:2 has ssh-ed25519 ${fingerprintOf(other)}`);
    }
    expect(readFileSync(file, 'utf8').split('\n')).toHaveLength(3);
  });

  it('refuses a revoked key, whatever else vouches for it', async () => {
    const file = shop.path('revoked');
    writeFileSync(file, `@revoked * ${server.hostKeys[0]}\n`);
    const error = await failure({ knownHostsFiles: [knownHosts, file] }, { acceptNewHostKeys: true });
    expect(error.message).toContain(`is revoked: ssh-ed25519 ${fingerprintOf(server.hostKeys[0] ?? '')} (${file}:1)`);
  });

  it('finds a hashed entry in the second of two files', async () => {
    const file = writeKnownHosts(shop.path('hashed'), [server]);
    execFileSync('ssh-keygen', ['-q', '-H', '-f', file], { stdio: 'ignore' });
    expect(readFileSync(file, 'utf8')).toMatch(/^\|1\|/);
    await connect({ knownHostsFiles: [shop.path('none'), file] });
  });

  it('asks a host with several keys for the type that is known', async () => {
    const hostKeys = [makeHostKey(shop, 'several-ed25519', 'ed25519'), makeHostKey(shop, 'several-rsa', 'rsa')];
    const several = await startSshd(shop, { hostKeys });
    const file = shop.path('rsa-only');
    try {
      const rsa = several.hostKeys[1] ?? '';
      writeFileSync(file, `[127.0.0.1]:${several.port} ${rsa}\n`);
      await connect({ port: several.port, knownHostsFiles: [file] });
      await connect({ port: several.port, knownHostsFiles: [], hostKey: rsa });
      await connect({ port: several.port, knownHostsFiles: [], hostKey: fingerprintOf(several.hostKeys[0] ?? '') });
      writeFileSync(file, `[127.0.0.1]:${server.port} ${rsa}\n`);
      const error = await failure({ knownHostsFiles: [file] });
      expect([error.code, error.message]).toEqual([
        'untrusted',
        `etcd-1: [127.0.0.1]:${server.port} no longer offers a host key of a type known for it (rsa-sha2-512, rsa-sha2-256)`,
      ]);
    } finally {
      several.stop();
    }
  });

  it('prefers, but does not demand, a type that is known for its address alone', async () => {
    const hostKeys = [makeHostKey(shop, 'both-ed25519', 'ed25519'), makeHostKey(shop, 'both-ecdsa', 'ecdsa')];
    const both = await startSshd(shop, { hostKeys });
    const file = shop.path('portless');
    try {
      writeFileSync(file, `127.0.0.1 ${both.hostKeys[1]}\n`);
      await connect({ port: both.port, knownHostsFiles: [file] });
      expect((await failure({ knownHostsFiles: [file] })).message).toContain('is not known: ssh-ed25519');
    } finally {
      both.stop();
    }
  });

  it('stays accepted when a host negotiates anew', async () => {
    const rekeying = await startSshd(shop, { config: ['RekeyLimit 1M'] });
    const file = shop.path('rekeyed');
    try {
      const connection = await connect({ port: rekeying.port, knownHostsFiles: [file] }, { acceptNewHostKeys: true });
      const input = Buffer.alloc(8 * 1024 * 1024);
      const count = { script: 'wc -c; head -c 8388608 /dev/zero', root: true, label: 'counting' };
      expect((await connection.run(count, { ...limits, input })).stdout).toHaveLength('8388608\n'.length + 8_388_608);
      expect(readFileSync(file, 'utf8').trim().split('\n')).toHaveLength(1);
    } finally {
      rekeying.stop();
    }
  });

  it('believes only the pin where there is one', async () => {
    const pinned = fingerprintOf(server.hostKeys[0] ?? '');
    await connect({ knownHostsFiles: [], hostKey: pinned });
    makeKey(shop.path('pin'), 'ed25519');
    const wrong = readFileSync(shop.path('pin.pub'), 'utf8');
    const error = await failure({ hostKey: fingerprintOf(wrong) }, { acceptNewHostKeys: true });
    expect(error.code).toBe('untrusted');
    expect(error.message).toContain(`shows ssh-ed25519 ${pinned}, but the inventory pins ${fingerprintOf(wrong)}`);
    expect((await failure({ hostKey: wrong })).code).toBe('untrusted');
    expect((await failure({ hostKey: 'aa:bb:cc' })).message).toContain('neither SHA256:… nor a public key');
  });
});

describe('logging in', () => {
  it('takes a key with a passphrase from the variable that the inventory names', async () => {
    const file = shop.path('id');
    const locked = shop.path('locked');
    writeFileSync(locked, readFileSync(file, 'utf8'), { mode: 0o600 });
    execFileSync('ssh-keygen', ['-q', '-p', '-P', '', '-N', 'open sesame', '-f', locked], { stdio: 'ignore' });
    const identity = { identityFiles: [locked], passphraseEnv: 'KEY_PASSPHRASE' };
    await connect(identity, { env: { KEY_PASSPHRASE: 'open sesame' } });

    const wrong = await failure(identity, { env: { KEY_PASSPHRASE: 'open barley' } });
    expect(wrong.message).toContain(`key ${locked} (its passphrase is wrong)`);
    expect(`${wrong.message}${wrong.hint}${wrong.detail}${wrong.cause}`).not.toContain('barley');
    expect((await failure(identity)).message).toContain('KEY_PASSPHRASE is not set');
  });

  it('asks for a passphrase once for all hosts', async () => {
    const questions: string[] = [];
    const askSecret = async (question: string): Promise<string> => {
      questions.push(question);
      await sleep(20);
      return 'open sesame';
    };
    const locked = shop.path('locked');
    const target = { port: server.port, identityFiles: [locked], knownHostsFiles: [knownHosts] };
    const hosts = ['a', 'b', 'c'].map((name) => controllerAt(name, target));
    const transports = await openAll(hosts, { env: {}, acceptNewHostKeys: false, askSecret });
    await transports.close();
    expect([transports.failures, questions]).toEqual([[], [`Passphrase of ${locked}`]]);
  });

  it('uses the agent', async () => {
    const socket = shop.path('agent');
    const agent = spawn('ssh-agent', ['-D', '-a', socket], { stdio: 'ignore' });
    try {
      await waitFor(() => existsSync(socket));
      const env = { SSH_AUTH_SOCK: socket };
      const empty = await failure({ identityFiles: [], agent: true }, { env });
      expect(empty.message).toContain('tried agent');
      execFileSync('ssh-add', ['-q', shop.identity], { env: { ...process.env, ...env }, stdio: 'ignore' });
      await connect({ identityFiles: [], agent: true }, { env });
    } finally {
      agent.kill();
    }
  });

  it('goes on with the key file when the agent is gone', async () => {
    await connect({ agent: true }, { env: { SSH_AUTH_SOCK: shop.path('no-agent') } });
    await connect({ agent: true });
  });

  it('tells everything that it tried when the host accepts none of it', async () => {
    makeKey(shop.path('stranger'), 'ed25519');
    const identityFiles = [shop.path('absent'), shop.path('stranger')];
    const error = await failure({ identityFiles, agent: true });
    expect([error.code, error.step]).toEqual(['unreachable', 'authentication']);
    expect(error.message).toBe(
      `etcd-1: 127.0.0.1:${server.port} refused the login as ${targetDefaults().user}: tried agent (SSH_AUTH_SOCK is not set), key ${identityFiles[0]} (not found), key ${identityFiles[1]}; it accepts publickey`,
    );
  });
});

describe('bastions', () => {
  let inner: Sshd;
  let outer: Sshd;
  let file: string;

  beforeAll(async () => {
    [inner, outer] = await Promise.all([startSshd(shop), startSshd(shop)]);
    file = writeKnownHosts(shop.path('bastions'), [inner, outer, server]);
  });
  afterAll(() => {
    inner.stop();
    outer.stop();
  });

  const through = (port: number, bastion?: SshTarget): SshTarget => ({
    ...targetDefaults(),
    ...{ port, identityFiles: [shop.identity], knownHostsFiles: [file], bastion },
  });
  const logins = (sshd: Sshd): number => sshd.log().split('Accepted publickey').length - 1;

  it('connects two deep, once to each bastion for all hosts behind it', async () => {
    const before = [logins(outer), logins(inner)];
    const chain = through(server.port, through(inner.port, through(outer.port)));
    const hosts = ['a', 'b', 'c', 'd'].map((name) => controllerAt(name, chain));
    const transports = await openAll(hosts, { env: {}, acceptNewHostKeys: false });
    opened.push(transports);
    expect(transports.failures).toEqual([]);
    const results = await Promise.all([...transports.connections.values()].map((each) => each.run(greet, limits)));
    expect(results.map((result) => result.stdout)).toEqual(Array(4).fill('hello\n'));
    expect([logins(outer), logins(inner)]).toEqual(before.map((count) => count + 1));
  });

  it('tells every host behind a bastion that cannot be reached', async () => {
    const port = await freePort();
    const hosts = ['a', 'b'].map((name) => controllerAt(name, through(server.port, through(port))));
    const transports = await openAll(hosts, { env: {}, acceptNewHostKeys: false });
    expect(transports.failures.map((error) => error.message)).toEqual(
      ['a', 'b'].map((name) => `${name}: bastion 127.0.0.1:${port} refused the connection: nothing listens there`),
    );
  });

  it('tells a bastion that forbids forwarding from one that does not reach the host', async () => {
    const closed = await startSshd(shop, { config: ['AllowTcpForwarding no'] });
    try {
      writeKnownHosts(shop.path('closed'), [closed, inner, server]);
      const knownHostsFiles = [shop.path('closed')];
      const forbidding = { ...through(closed.port), knownHostsFiles };
      const forbidden = await failure({ bastion: forbidding, knownHostsFiles });
      expect(forbidden.message).toBe(
        `etcd-1: sshd at bastion 127.0.0.1:${closed.port} forbids forwarding to 127.0.0.1:${server.port}`,
      );
      const port = await freePort();
      const beyond = { address: '127.0.0.1', port, bastion: through(inner.port), hostKey: server.hostKeys[0] };
      expect((await failure(beyond)).message).toContain(`127.0.0.1:${port} cannot be reached from bastion`);
    } finally {
      closed.stop();
    }
  });

  it('tells a changed key of a bastion', async () => {
    const bastion = { ...through(inner.port), hostKey: server.hostKeys[0] };
    expect((await failure({ bastion })).message).toContain(`etcd-1: [127.0.0.1]:${inner.port} shows`);
  });
});

describe('scripts', () => {
  it('run over IPv6', async () => {
    const six = await startSshd(shop, { address: '::1' });
    try {
      const knownHostsFiles = [writeKnownHosts(shop.path('six'), [six], '::1')];
      const connection = await connect({ address: '::1', port: six.port, knownHostsFiles });
      expect((await connection.run(greet, limits)).stdout).toBe('hello\n');
    } finally {
      six.stop();
    }
  });

  it('carries 64 MiB on stdin', async () => {
    const input = Buffer.alloc(64 * 1024 * 1024, 'quorate');
    const connection = await connect();
    const result = await connection.run({ script: 'sha256sum', root: true, label: 'hashing' }, { ...limits, input });
    expect(result.stdout.split(' ')[0]).toBe(createHash('sha256').update(input).digest('hex'));
  });

  it('carries 20 MiB on stdout and on stderr at once', async () => {
    const connection = await connect();
    const script = 'head -c 20971520 /dev/zero; head -c 20971520 /dev/zero >&2';
    const result = await connection.run({ script, root: true, label: 'printing' }, limits);
    expect([result.stdout.length, result.stderr.length]).toEqual([20_971_520, 20_971_520]);
  });

  it('may be 200 KB long', async () => {
    const script = `${'# a line of comment, as long as it is useless\n'.repeat(4_500)}echo end`;
    const connection = await connect();
    expect(await connection.run({ script, root: true, label: 'reading' }, limits)).toMatchObject({ stdout: 'end\n' });
  });

  it('run 100 times one after the other, then 100 times as fast as they can, on one connection', async () => {
    const connection = await connect();
    for (let turn = 0; turn < 100; turn += 1) {
      expect((await connection.run({ ...greet, script: `exit ${turn}` }, limits)).status).toBe(turn);
    }
    const script = (index: number) => ({ ...greet, script: `cat; exit ${index}` });
    const all = Array.from({ length: 100 }, (_, index) => connection.run(script(index), limits));
    expect((await Promise.all(all)).map((result) => result.status)).toEqual(all.map((_, index) => index));
  });

  it('tell the signal that ended them', async () => {
    const connection = await connect();
    const result = await connection.run({ ...greet, script: 'kill -KILL $$' }, limits);
    expect([result.status, result.signal]).toEqual([undefined, 'SIGKILL']);
  });

  it('can be talked to while they run', async () => {
    const connection = await connect();
    const process = await connection.start({ ...greet, script: 'read a; echo "got $a"; read b || echo end' });
    process.stderr.resume();
    process.stdin.write('one\n');
    let heard = '';
    process.stdout.on('data', (chunk: Buffer) => {
      heard += chunk.toString();
    });
    await waitFor(() => heard === 'got one\n');
    process.stdin.end();
    expect(await process.done).toEqual({ status: 0, signal: undefined });
    expect(heard).toBe('got one\nend\n');
  });

  it('see the end of their stdin when they are closed', async () => {
    const mark = shop.path('closed-mark');
    const connection = await connect();
    const process = await connection.start({ ...greet, script: `echo up; cat >/dev/null; echo x >${mark}` });
    await new Promise((resolve) => process.stdout.once('data', resolve));
    process.close();
    await waitFor(() => existsSync(mark));
    process.stdout.resume();
    await process.done;
  });

  it('lose only their own channel when their time is up', async () => {
    const connection = await connect();
    const slow = { ...greet, script: 'echo early; exec sleep 6' };
    const running = Array.from({ length: 4 }, () => connection.run(slow, { timeoutMs: 300 }));
    for (const result of await Promise.allSettled(running)) {
      expect(result).toMatchObject({
        reason: { code: 'step-failed', message: 'etcd-1: greeting: timed out after 0.3 s' },
      });
    }
    expect((await connection.run(greet, { timeoutMs: 3_000 })).stdout).toBe('hello\n');
  });

  it('never start when their time is up before their turn comes', async () => {
    const connection = await connect();
    const busy = Array.from({ length: 4 }, () => connection.run({ ...greet, script: 'sleep 1' }, limits));
    const mark = shop.path('late-mark');
    const late = connection.run({ ...greet, script: `echo x >${mark}` }, { timeoutMs: 200 });
    await expect(late).rejects.toMatchObject({ message: expect.stringContaining('before the script began') });
    await Promise.all(busy);
    await connection.run(greet, limits);
    expect(existsSync(mark)).toBe(false);
  });

  it('fail with the host and the label when the connection is cut', async () => {
    const connection = await connect();
    const file = shop.path('cut');
    const running = connection.run({ ...greet, script: `echo $PPID >${file}; exec sleep 5` }, limits);
    running.catch(() => undefined);
    await waitFor(() => existsSync(file) && readFileSync(file, 'utf8').endsWith('\n'));
    process.kill(sshdChildOf(Number(readFileSync(file, 'utf8'))), 'SIGKILL');
    await expect(running).rejects.toMatchObject({
      code: 'unreachable',
      host: 'etcd-1',
      message: expect.stringMatching(/^etcd-1: connection lost while greeting: /),
    });
    await expect(connection.run(greet, limits)).rejects.toMatchObject({ code: 'unreachable', step: 'channel' });
    await expect(connection.tunnel('127.0.0.1', 1)).rejects.toMatchObject({ code: 'unreachable' });
  });
});

describe('tunnels', () => {
  let echo: Server;
  let port: number;

  beforeAll(async () => {
    echo = createServer((socket) => socket.pipe(socket));
    port = await freePort();
    await new Promise<void>((resolve) => echo.listen(port, '127.0.0.1', resolve));
  });
  afterAll(() => void echo.close());

  it('carry bytes both ways, more than sessions may be open', async () => {
    const connection = await connect();
    const tunnels = await Promise.all(Array.from({ length: 12 }, () => connection.tunnel('127.0.0.1', port)));
    for (const [index, tunnel] of tunnels.entries()) tunnel.end(Buffer.alloc(100_000, index));
    for (const [index, tunnel] of tunnels.entries()) {
      const chunks: Buffer[] = [];
      for await (const chunk of tunnel) chunks.push(chunk);
      expect(Buffer.concat(chunks).equals(Buffer.alloc(100_000, index))).toBe(true);
    }
  });

  it('carry HTTP/2 over TLS, and end with the connection', async () => {
    makeCertificate(shop);
    const secure = createSecureServer({
      key: readFileSync(shop.path('tls.key')),
      cert: readFileSync(shop.path('tls.crt')),
    });
    secure.on('stream', (stream, headers) => {
      stream.respond({ ':status': 200 });
      stream.end(`path ${headers[':path']}`);
    });
    const securePort = await freePort();
    await new Promise<void>((resolve) => secure.listen(securePort, '127.0.0.1', resolve));
    const connection = await connect();
    const tunnel = await connection.tunnel('127.0.0.1', securePort);
    const session = connectHttp2('https://localhost', {
      createConnection: () => connectTls({ socket: tunnel, rejectUnauthorized: false, ALPNProtocols: ['h2'] }),
    });
    session.on('error', () => undefined);
    for (const path of ['/one', '/two']) {
      const request = session.request({ ':path': path });
      expect(await text(request)).toBe(`path ${path}`);
    }
    const closed = new Promise<void>((resolve) => session.once('close', resolve));
    await connection.close();
    await closed;
    secure.close();
  });

  it('tell a port that nothing listens on', async () => {
    const connection = await connect();
    const closed = await freePort();
    await expect(connection.tunnel('127.0.0.1', closed)).rejects.toMatchObject({
      code: 'unreachable',
      step: 'tunnel',
      message: expect.stringContaining(`etcd-1: 127.0.0.1:${closed} cannot be reached from 127.0.0.1:${server.port}`),
    });
  });

  it('teach what to change where sshd forbids them', async () => {
    const closed = await startSshd(shop, { config: ['AllowTcpForwarding no'] });
    try {
      const connection = await connect({
        port: closed.port,
        knownHostsFiles: [writeKnownHosts(shop.path('no-forward'), [closed])],
      });
      await expect(connection.tunnel('127.0.0.1', port)).rejects.toMatchObject({
        message: `etcd-1: sshd at 127.0.0.1:${closed.port} forbids forwarding to 127.0.0.1:${port}`,
        hint: expect.stringContaining('etcd.access: direct'),
      });
    } finally {
      closed.stop();
    }
  });
});

describe('hosts that do not answer', () => {
  it('at first, because too many connect at once, are asked again', async () => {
    const busy = await startSshd(shop, { config: ['MaxStartups 2:100:2'] });
    try {
      const known = writeKnownHosts(shop.path('busy'), [busy]);
      const target = { port: busy.port, identityFiles: [shop.identity], knownHostsFiles: [known] };
      const hosts = ['a', 'b', 'c', 'd', 'e', 'f'].map((name) => controllerAt(name, target));
      const transports = await openAll(hosts, { env: {}, acceptNewHostKeys: false });
      opened.push(transports);
      expect(busy.log()).toContain('MaxStartups');
      expect(transports.failures).toEqual([]);
    } finally {
      busy.stop();
    }
  });

  it('at first, because they reset the connection, are asked again', async () => {
    let connections = 0;
    const proxy = createServer((socket) => {
      connections += 1;
      if (connections < 3) return void socket.once('data', () => socket.resetAndDestroy());
      const onwards = createConnection(server.port, '127.0.0.1');
      for (const end of [socket, onwards]) end.on('error', () => undefined);
      socket.pipe(onwards).pipe(socket);
    });
    const port = await freePort();
    await listen(proxy, port);
    await connect({ port, hostKey: server.hostKeys[0] });
    proxy.close();
    expect(connections).toBe(3);
  });

  it('any more, without closing the connection, are noticed', async () => {
    const connection = await connect({}, { keepAliveIntervalMs: 100 });
    const file = shop.path('frozen');
    const running = connection.run({ ...greet, script: `echo $PPID >${file}; exec sleep 5` }, limits);
    running.catch(() => undefined);
    await waitFor(() => existsSync(file) && readFileSync(file, 'utf8').endsWith('\n'));
    const pid = sshdChildOf(Number(readFileSync(file, 'utf8')));
    process.kill(pid, 'SIGSTOP');
    try {
      await expect(running).rejects.toMatchObject({
        message: 'etcd-1: connection lost while greeting: Keepalive timeout',
      });
    } finally {
      process.kill(pid, 'SIGKILL');
    }
  });

  it('any more are not waited for when the connection is closed', async () => {
    const { connections, close } = await open({});
    const connection = connections.get('etcd-1');
    const file = shop.path('frozen-at-end');
    const running = connection?.run({ ...greet, script: `echo $PPID >${file}; exec sleep 5` }, limits);
    running?.catch(() => undefined);
    await waitFor(() => existsSync(file) && readFileSync(file, 'utf8').endsWith('\n'));
    const pid = sshdChildOf(Number(readFileSync(file, 'utf8')));
    process.kill(pid, 'SIGSTOP');
    const late = setTimeout(() => process.kill(pid, 'SIGCONT'), 10_000);
    try {
      const since = Date.now();
      await close();
      expect(Date.now() - since).toBeLessThan(5_000);
    } finally {
      clearTimeout(late);
      process.kill(pid, 'SIGKILL');
    }
  });

  it('are all told, each with its cause', async () => {
    const silent = createServer();
    const hasty = createServer((socket) => socket.destroy());
    const [silentPort, hastyPort, refusing] = [await freePort(), await freePort(), await freePort()];
    await Promise.all([listen(silent, silentPort), listen(hasty, hastyPort)]);
    const target = { identityFiles: [shop.identity], knownHostsFiles: [knownHosts], connectTimeoutMs: 1_000 };
    const transports = await openAll(
      [
        controllerAt('refusing', { ...target, port: refusing }),
        controllerAt('well', { ...target, port: server.port, connectTimeoutMs: 10_000 }),
        controllerAt('silent', { ...target, port: silentPort }),
        controllerAt('hasty', { ...target, port: hastyPort }),
        controllerAt('nameless', { ...target, address: 'no-such-host.invalid' }),
      ],
      { env: {}, acceptNewHostKeys: false },
    );
    opened.push(transports);
    silent.close();
    hasty.close();
    expect([...transports.connections.keys()]).toEqual(['well']);
    expect(transports.failures.map((error) => `${error.code} ${error.step} ${error.message}`)).toEqual([
      `unreachable connect refusing: 127.0.0.1:${refusing} refused the connection: nothing listens there`,
      `unreachable connect silent: 127.0.0.1:${silentPort} did not answer within 1 s`,
      `unreachable handshake hasty: 127.0.0.1:${hastyPort} closed the connection before the SSH handshake`,
      expect.stringMatching(/^unreachable connect nameless: the name of no-such-host\.invalid:22 does not resolve/),
    ]);
  });

  it('are given up when the run is interrupted', async () => {
    const silent = createServer();
    const port = await freePort();
    await listen(silent, port);
    const controller = new AbortController();
    setTimeout(() => controller.abort(), 100);
    const error = await failure({ port, connectTimeoutMs: 60_000 }, { signal: controller.signal });
    silent.close();
    expect(error.code).toBe('interrupted');
    expect((await failure({ connectTimeoutMs: 60_000 }, { signal: controller.signal })).code).toBe('interrupted');
  });
});

const listen = (listening: Server, port: number): Promise<void> =>
  new Promise((resolve) => listening.listen(port, '127.0.0.1', resolve));

function makeCertificate({ path }: Workshop): void {
  const request = ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-subj', '/CN=x'];
  execFileSync('openssl', [...request, '-keyout', path('tls.key'), '-out', path('tls.crt')], { stdio: 'ignore' });
}

async function waitFor(condition: () => boolean): Promise<void> {
  for (let attempt = 0; attempt < 200; attempt += 1) {
    if (condition()) return;
    await sleep(25);
  }
  throw new Error('it did not happen within 5 s');
}

/** The sshd process of a session, given the process that sshd started for it. */
function sshdChildOf(pid: number): number {
  const [command, parent] = [
    readFileSync(`/proc/${pid}/comm`, 'utf8').trim(),
    Number(/^PPid:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]),
  ];
  return command === 'sshd' ? pid : sshdChildOf(parent);
}
