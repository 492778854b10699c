/** Connections that break while something runs on a host, and scripts that outlive the run that started them. */
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { createServer } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { ensureRelease, type Release } from '../../src/lab/releases.ts';
import { clearHosts, expectDone, expectRefusal, openWardrobe, until, type Wardrobe } from './environment.ts';
import { nothingInstalled, slowLine } from './slow-line.ts';
import { openStage, type Stage } from './stage.ts';

const version = '3.6.16';
let stage: Stage;
let wardrobe: Wardrobe;
let release: Release;

beforeAll(async () => {
  release = await ensureRelease(version);
  stage = await openStage({ name: 'env-cut', version });
  wardrobe = await openWardrobe(stage);
  expectDone(await stage.bootstrap());
  await clearHosts(stage);
});
afterEach(async () => {
  await wardrobe.wear({});
  await clearHosts(stage);
});
afterAll(() => stage?.down());

const bootstrap = ['bootstrap', '--yes'];

describe('a connection that breaks during the push', () => {
  it('is told at once where sshd itself ends, and the next run takes over', async () => {
    const host = stage.host(3);
    const line = await slowLine(stage, 3);
    const running = stage.start(bootstrap);
    await line.pushing();
    await host.sh('pkill -KILL -u ops sshd');
    const since = Date.now();
    const said = expectRefusal(await running.ended, 12);
    expect(Date.now() - since).toBeLessThan(30_000);
    expect(said).toMatch(/etcd-3: .*connection lost/);
    expect(await host.sh(nothingInstalled)).toBe('');
    await line.fast();
    expectDone(await stage.bootstrap());
  });
});

describe('a script that outlives its run', () => {
  it('is told to the next run and to unlock, and once it has ended the next run takes over', async () => {
    const server = await startSlowMirror();
    try {
      await wardrobe.wear({ binaries: { source: 'mirror', path: null, url: server.url, via: 'host' } });
      const running = stage.start(bootstrap);
      await until('all hosts download', async () => (server.downloads() >= 3 ? true : undefined), 60_000);
      running.kill('SIGKILL');
      expect((await running.ended).signal).toBe('SIGKILL');
      await sleep(500);
      const said = expectRefusal(await stage.quorate(bootstrap), 16);
      expect(said).toMatch(/etcd-[123]: locked by .*\(bootstrap\); a script of it still runs there \(pid \d+\)/);
      const pid = /\(pid (\d+)\)/.exec(said.slice(said.indexOf('still runs')))?.[1];
      expect(pid).toMatch(/^\d+$/);
      const unlock = await stage.quorate(['unlock']);
      expect(unlock.status).toBe(16);
      expect(unlock.stdout).toMatch(/etcd-1: locked by .*: its scripts run: \d+/);
      expect(await stage.host(1).sh('test -d /var/lib/quorate/lock && echo there')).toBe('there\n');
      server.hurry();
      let heard = '';
      // Whoever planned while the script still ran finds other hosts under the lock (15), and plans again.
      await until(
        'its scripts have ended and a run goes through',
        async () => {
          const run = await stage.quorate(bootstrap);
          heard += run.stderr;
          expect([0, 15, 16]).toContain(run.status);
          return run.status === 0 ? true : undefined;
        },
        90_000,
      );
      expect(heard).toMatch(/etcd-\d: took over the lock of a run that is gone/);
      expectDone(await stage.quorate(['plan', '--exit-code']));
    } finally {
      await server.close();
    }
  });
});

interface SlowMirror {
  readonly url: string;
  downloads(): number;
  hurry(): void;
  close(): Promise<void>;
}

/** A mirror that gives the first megabyte of the tarball and then trickles, until it is told to hurry. */
async function startSlowMirror(): Promise<SlowMirror> {
  const { size } = await stat(release.tarball);
  let hurried = false;
  let downloads = 0;
  const server = createServer((request, response) => {
    void (async () => {
      if (request.url?.endsWith('SHA256SUMS')) {
        createReadStream(release.sha256sums).pipe(response);
        return;
      }
      downloads += 1;
      const start = Number(/bytes=(\d+)-/.exec(request.headers.range ?? '')?.[1] ?? 0);
      response.writeHead(start > 0 ? 206 : 200, {
        'content-length': size - start,
        'content-range': `bytes ${start}-${size - 1}/${size}`,
      });
      let sent = start;
      for await (const chunk of createReadStream(release.tarball, { start, highWaterMark: 65_536 })) {
        response.write(chunk);
        sent += chunk.length;
        if (sent > 1_000_000 && !hurried) await sleep(200);
      }
      response.end();
    })().catch(() => response.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, stage.lab.gateway, resolve));
  const bound = server.address();
  const port = bound !== null && typeof bound === 'object' ? bound.port : 0;
  return {
    url: `http://${stage.lab.gateway}:${port}`,
    downloads: () => downloads,
    hurry: () => {
      hurried = true;
    },
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
