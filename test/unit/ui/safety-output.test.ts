import { PassThrough } from 'node:stream';
import { expect, it } from 'vitest';
import { createUi } from '../../../src/ui/output.ts';
import { createSecrets } from '../../../src/ui/secrets.ts';

it('writes lines and documents for programs without control characters and without secrets', () => {
  const streams = { stdin: new PassThrough(), stdout: new PassThrough(), stderr: new PassThrough() };
  const log = { write: () => undefined, path: () => undefined, close: () => undefined };
  const color = { stdout: false, stderr: false };
  const terminal = { mode: 'json', color, width: 80, stderrWidth: 80, interactive: false } as const;
  const secrets = createSecrets();
  secrets.add('hunter<2>');
  const ui = createUi({ terminal, streams, secrets, log, verbose: false });
  ui.line('a\u001b[2J\u009b1m hunter<2> hunter\\u003c2\\u003e');
  expect(String(streams.stdout.read())).toBe('a␛[2J\ufffd1m <redacted> <redacted>\n');
  const value = { text: 'x\u009b2J\u007f\u202e\n', log: '{"a":"hunter\\u003c2\\u003e"}' };
  ui.json(value);
  const written = String(streams.stdout.read());
  expect(written).not.toMatch(/(?!\n)\p{Cc}|[\u202a-\u202e]/u);
  expect(JSON.parse(written)).toEqual({ ...value, log: '{"a":"<redacted>"}' });
});

it('shows what a host said as a result without its control characters', () => {
  const streams = { stdin: new PassThrough(), stdout: new PassThrough(), stderr: new PassThrough() };
  const log = { write: () => undefined, path: () => undefined, close: () => undefined };
  const color = { stdout: false, stderr: false };
  const terminal = { mode: 'plain', color, width: 80, stderrWidth: 80, interactive: false } as const;
  const ui = createUi({ terminal, streams, secrets: createSecrets(), log, verbose: false });
  ui.out('etcd-1: locked by ada\u001b]0;owned\u0007\u001b[2J\nsecond line');
  expect(String(streams.stdout.read())).toBe('etcd-1: locked by ada␛]0;owned␇␛[2J\nsecond line\n');
});
