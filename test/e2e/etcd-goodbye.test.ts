/** A member that is shut down says goodbye in the middle of calls: Node must not be brought to send the rest of one of them for ever. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { afterAll, expect, it } from 'vitest';
import { makeAuthority, makeLeaf, releasedEtcd, startMembers } from './etcd-processes.ts';

const root = mkdtempSync(join(tmpdir(), 'quorate-goodbye-'));
const etcd = releasedEtcd('3.7.3', root);
const ROUNDS = 12;
const MEMORY_LIMIT_BYTES = 2 ** 30;

afterAll(() => rm(root, { recursive: true, force: true }));

it.skipIf(etcd === undefined)(
  'goes on with calls in flight, and takes little memory',
  async () => {
    for (const name of ['ca', 'peer-ca']) makeAuthority(root, name);
    makeLeaf(root, 'ca', 'member', 'IP:127.0.0.1');
    makeLeaf(root, 'peer-ca', 'peer', 'IP:127.0.0.1');
    makeLeaf(root, 'ca', 'root', 'DNS:root');
    const [member] = await startMembers(etcd ?? '', { folder: root, names: ['a'], token: 'goodbye' });
    if (member === undefined) throw new Error('no member');
    const busy = await startBusy(member.clientPort, ROUNDS + 2);
    let running = member.process;
    try {
      for (
        let round = 0;
        round < ROUNDS && busy.child.exitCode === null && busy.child.signalCode === null;
        round += 1
      ) {
        await sleep(1_000);
        running = await startAgain(running);
      }
      expect(await busy.ended).toEqual({ status: 0, signal: null, said: expect.stringMatching(/"done":\d{3,}/) });
    } finally {
      busy.child.kill('SIGKILL');
      running.kill('SIGKILL');
    }
  },
  60_000,
);

async function startAgain(running: ChildProcess): Promise<ChildProcess> {
  running.kill('SIGTERM');
  await once(running, 'exit');
  return spawn(running.spawnfile, running.spawnargs.slice(1), { stdio: 'ignore' });
}

async function startBusy(port: number, seconds: number) {
  const outfile = join(root, 'busy.mjs');
  const entry = fileURLToPath(new URL('load/busy.ts', import.meta.url));
  await build({ bundle: true, platform: 'node', format: 'esm', target: 'node20', entryPoints: [entry], outfile });
  const words = [`--data=${MEMORY_LIMIT_BYTES}`, process.execPath, outfile, String(port), root, String(seconds)];
  const child = spawn('prlimit', words, { stdio: ['ignore', 'pipe', 'inherit'] });
  let said = '';
  child.stdout.on('data', (chunk) => {
    said += String(chunk);
  });
  const ended = once(child, 'close').then(([status, signal]) => ({ status, signal, said }));
  return { child, ended };
}
