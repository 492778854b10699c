import { mkdirSync, statSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type CompileContext, compile } from '../../../src/apply/compile.ts';
import { NOW } from '../../fakes/facts.ts';
import { createModel } from '../../fakes/model.ts';
import { cluster as clusterOf } from '../render/cluster.ts';
import { run, shells, temporaryFolder } from './shell.ts';

describe.each(shells)('a folder of ours that is a link in %s', (shell) => {
  it('is refused, and what it leads to keeps its mode and owner', async () => {
    const folder = temporaryFolder();
    mkdirSync(join(folder, 'shared'), { mode: 0o755 });
    symlinkSync(join(folder, 'shared'), join(folder, 'etcd'));
    const context: CompileContext = {
      view: createModel(clusterOf('3.6.16')).view(),
      issued: {},
      release: undefined,
      download: undefined,
      stage: () => ({ name: 'f1', content: '' }),
      timestamp: new Date(NOW).toISOString(),
    };
    const owner = { owner: String(process.getuid?.()), group: String(process.getgid?.()) };
    const step = { kind: 'directory.ensure', host: 'etcd-1', id: 'a', why: 'b', mode: '0700', ...owner } as const;
    const ensure = async (path: string) => run(shell, `set -eu\n${(await compile({ ...step, path }, context)).script}`);
    expect(await ensure(join(folder, 'etcd'))).toMatchObject({
      status: 1,
      stderr: expect.stringContaining('is a symbolic link'),
    });
    expect(statSync(join(folder, 'shared')).mode & 0o777).toBe(0o755);
    expect((await ensure(join(folder, 'own'))).status).toBe(0);
    expect(statSync(join(folder, 'own')).mode & 0o777).toBe(0o700);
  });
});
