import { PassThrough } from 'node:stream';
import { expect, it } from 'vitest';
import { createUi } from '../../../src/ui/output.ts';
import { createSecrets } from '../../../src/ui/secrets.ts';

it('shows what a host said as a result without its control characters', () => {
  const streams = { stdin: new PassThrough(), stdout: new PassThrough(), stderr: new PassThrough() };
  const log = { write: () => undefined, path: () => undefined, close: () => undefined };
  const color = { stdout: false, stderr: false };
  const terminal = { mode: 'plain', color, width: 80, stderrWidth: 80, interactive: false } as const;
  const ui = createUi({ terminal, streams, secrets: createSecrets(), log, verbose: false });
  ui.out('etcd-1: locked by ada\u001b]0;owned\u0007\u001b[2J\nsecond line');
  expect(String(streams.stdout.read())).toBe('etcd-1: locked by ada␛]0;owned␇␛[2J\nsecond line\n');
});
