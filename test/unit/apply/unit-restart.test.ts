/** The restart of a unit, with a systemctl that waits for READY as long as it is told. */
import { chmodSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { restartScript } from '../../../src/apply/unit-restart.ts';
import type { Step } from '../../../src/domain/step.ts';
import { run, shells, temporaryFolder } from './shell.ts';

const step: Step<'unit.restart'> = {
  ...{ id: 'unit.restart', kind: 'unit.restart', host: 'etcd-1', why: '', unit: 'etcd.service' },
  ...{ wish: {}, ends: '', outage: false },
};

/** How the restart ends whose systemctl does `what`; a member that is alone for 2 s is given up. */
async function restarted(shell: string, what: string, peerPorts: readonly number[]) {
  const folder = temporaryFolder();
  writeFileSync(join(folder, 'systemctl'), `#!/bin/sh\n[ "$1" != restart ] || { ${what}; }\n`);
  writeFileSync(join(folder, 'journalctl'), '#!/bin/sh\necho "its last words"\n');
  for (const each of ['systemctl', 'journalctl']) chmodSync(join(folder, each), 0o755);
  const script = restartScript(step, peerPorts, { limitS: 2, lookS: 1 });
  const since = Date.now();
  const ended = await run(shell, `set -eu\nPATH='${folder}':$PATH\nstage='${folder}'\n${script}\necho behind`);
  return { ...ended, seconds: (Date.now() - since) / 1000 };
}

/** A port with a connection of this process to itself, for as long as `use` runs. */
async function withConnection(use: (port: number) => Promise<void>): Promise<void> {
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  const client = connect(port, '127.0.0.1');
  await new Promise((resolve) => client.once('connect', resolve));
  try {
    await use(port);
  } finally {
    client.destroy();
    server.close();
  }
}

/** Nobody listens on it. */
const UNUSED = 1;

describe.each(shells)('a restart in %s', (shell) => {
  it('is over as soon as systemctl is', async () => {
    const { status, stdout, stderr, seconds } = await restarted(shell, ':', [UNUSED]);
    expect({ status, stdout, stderr }).toEqual({ status: 0, stdout: 'behind\n', stderr: '' });
    expect(seconds).toBeLessThan(2);
  });

  it('is given up where no other member has a connection with it', async () => {
    const { status, stdout, stderr, seconds } = await restarted(shell, 'exec sleep 60', [UNUSED]);
    expect([status, stdout]).toEqual([1, '']);
    const wanted = 'etcd.service has had no connection with another member for 2 s: its peer port is cut off';
    expect(stderr.trimEnd().split('\n').at(-1)).toContain(wanted);
    expect(stderr).toContain('its last words');
    expect(seconds).toBeLessThan(10);
  });

  it('is waited for while there is one, and where there are no others', async () => {
    await withConnection(async (port) => {
      expect(await restarted(shell, 'sleep 4', [UNUSED, port])).toMatchObject({ status: 0, stderr: '' });
    });
    expect(await restarted(shell, 'sleep 4', [])).toMatchObject({ status: 0, stderr: '' });
  });

  it('tells the last words of one that fails', async () => {
    const { status, stderr } = await restarted(shell, 'exit 3', [UNUSED]);
    expect([status, stderr]).toEqual([1, 'its last words\n']);
  });
});
