/** Runs child.ts in processes of its own: bundled once, because Node 20 does not run TypeScript. */
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { afterAll, beforeAll } from 'vitest';

const require = 'import{createRequire as __c}from"node:module";const require=__c(import.meta.url);';

let folder = '';

/** Makes the bundle before this file's tests and removes it after them. */
export function bundleChild(): void {
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'quorate-child-'));
    await build({
      entryPoints: [fileURLToPath(new URL('./child.ts', import.meta.url))],
      outfile: join(folder, 'child.mjs'),
      bundle: true,
      format: 'esm',
      platform: 'node',
      target: 'node20',
      banner: { js: require },
    });
  });
  afterAll(() => rmSync(folder, { recursive: true }));
}

export function startChild(...args: readonly string[]): ChildProcessWithoutNullStreams {
  return spawn(process.execPath, [join(folder, 'child.mjs'), ...args]);
}

/** Runs one to its end: exit status or signal, and what it printed on both streams. */
export async function runChild(
  ...args: readonly string[]
): Promise<{ readonly end: number | string; readonly text: string }> {
  const child = startChild(...args);
  let text = '';
  child.stdout.on('data', (chunk) => (text += String(chunk)));
  child.stderr.on('data', (chunk) => (text += String(chunk)));
  const [status, signal] = await once(child, 'close');
  return { end: status ?? signal, text };
}

/** The next line of a child's stdout. */
export async function lineOf(child: ChildProcessWithoutNullStreams): Promise<string> {
  const [chunk] = await once(child.stdout, 'data');
  return String(chunk).trim();
}
