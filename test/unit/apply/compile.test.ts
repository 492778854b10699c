/** Every script that a bootstrap and a reset send, judged by shellcheck, and what a host would be told to run. */
import { execFileSync, spawnSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { keyScript } from '../../../src/apply/key-script.ts';
import { lockScript, unlockScript } from '../../../src/apply/lock-script.ts';
import { planBootstrap } from '../../../src/plan/bootstrap.ts';
import { planReset } from '../../../src/plan/reset.ts';
import { runOn } from '../../fakes/executor.ts';
import { createModel, TOKEN } from '../../fakes/model.ts';
import { awkward, cluster as clusterOf } from '../render/cluster.ts';
import { shells } from './shell.ts';

const hasShellcheck = spawnSync('shellcheck', ['--version']).status === 0;

/** SC2329, SC2317: functions that not every stage calls. SC1112: a typographic quote in the sample's paths. */
const exclude = 'SC2329,SC2317,SC1112';

function shellcheck(script: string): string {
  const { stdout, stderr } = spawnSync('shellcheck', ['-s', 'sh', '-S', 'style', '-e', exclude, '-f', 'gcc', '-'], {
    input: script,
    encoding: 'utf8',
  });
  return `${stdout}${stderr}`;
}

async function allScripts(cluster: Parameters<typeof createModel>[0]) {
  const model = createModel(cluster);
  const formed = await runOn(model, planBootstrap(model.view()));
  expect(formed.error).toBeUndefined();
  const reset = await runOn(model, planReset(model.view(), { deleteData: false, lostStore: undefined }));
  expect(reset.error).toBeUndefined();
  return [...formed.scripts, ...reset.scripts];
}

const owner = { token: 't', owner: "o'hara@laptop", command: 'bootstrap', since: '2026-01-01T00:00:00Z' };

describe('the scripts that hosts get', () => {
  const { paths, unit, user } = awkward;
  const clusters = { plain: clusterOf('3.6.16'), awkward: clusterOf('3.6.16', { paths, unit, user }) } as const;

  it.each(['plain', 'awkward'] as const)('are read by every shell without complaint: %s', async (name) => {
    for (const { stage, host, script } of await allScripts(clusters[name])) {
      for (const shell of shells) {
        const { status, stderr } = spawnSync(shell, ['-n', '-c', script], { encoding: 'utf8' });
        expect([stage, host, status, stderr]).toEqual([stage, host, 0, '']);
      }
    }
  });

  it.runIf(hasShellcheck)('pass shellcheck', { timeout: 60_000 }, async () => {
    const seen = new Map<string, string>();
    for (const { stage, script } of await allScripts(clusters.awkward)) seen.set(stage, script);
    expect(seen.size).toBeGreaterThan(5);
    for (const [stage, script] of seen) expect(`${stage}: ${shellcheck(`#!/bin/sh\n${script}\n`)}`).toBe(`${stage}: `);
  });

  it.runIf(hasShellcheck)('to lock, unlock and make keys pass shellcheck', () => {
    const keys = `set -eu\n${keyScript("/etc/it's/pki.d/1", 'ecdsa-p256', 'etcd')}`;
    for (const script of [lockScript(owner), unlockScript('t'), keys])
      expect(shellcheck(`#!/bin/sh\n${script}\n`)).toBe('');
  });

  it('carry the token in no script: it travels in files', async () => {
    for (const { script } of await allScripts(clusters.plain)) expect(script).not.toContain(TOKEN);
  });
});

it('has shellcheck, or says that it was skipped', () => {
  if (hasShellcheck) expect(execFileSync('shellcheck', ['--version'], { encoding: 'utf8' })).toContain('ShellCheck');
});
