import { describe, expect, it } from 'vitest';
import { combineErrors, QuorateError } from '../../../src/domain/errors.ts';
import { errorToJson, renderError } from '../../../src/ui/errors.ts';
import { painter } from '../../../src/ui/paint.ts';

const look = { paint: painter(false), verbose: false, logPath: undefined };
const cause = new Error('read ECONNRESET');
const refused = new QuorateError('unreachable', 'etcd-1: connection refused by 10.0.0.1:22', {
  host: 'etcd-1',
  hint: 'start sshd',
});
const timeout = new QuorateError('unreachable', 'no answer from 10.0.0.2:22 within 10 s', {
  host: 'etcd-2',
  step: 'connect',
  detail: 'kex_exchange\u001b[31m\nclosed\n',
  cause,
});

describe('renderError', () => {
  it('puts the host first, once, and the hint on its own line', () => {
    expect(renderError(refused, look)).toBe('error: etcd-1: connection refused by 10.0.0.1:22\nhint: start sshd');
    expect(renderError(timeout, look)).toBe('error: etcd-2: no answer from 10.0.0.2:22 within 10 s');
  });

  it('lists every failing host', () => {
    const again = new QuorateError('unreachable', 'etcd-3: connection refused', { host: 'etcd-3', hint: 'start sshd' });
    const all = combineErrors('3 of 3 hosts cannot be reached', [refused, timeout, again]);
    expect(renderError(all, look)).toBe(
      [
        'error: 3 of 3 hosts cannot be reached',
        '  etcd-1: connection refused by 10.0.0.1:22',
        '  etcd-2: no answer from 10.0.0.2:22 within 10 s',
        '  etcd-3: connection refused',
        'hint: start sshd',
      ].join('\n'),
    );
  });

  it('says for which host a hint is when there are several', () => {
    const key = new QuorateError('untrusted', 'etcd-2: unknown host key', { host: 'etcd-2', hint: 'pin it' });
    expect(renderError(combineErrors('no', [refused, key]), look)).toContain(
      'hint (etcd-1): start sshd\nhint (etcd-2): pin it',
    );
  });

  it('adds step, stderr and causes with --verbose, control characters made visible', () => {
    expect(renderError(timeout, { ...look, verbose: true })).toBe(
      [
        'error: etcd-2: no answer from 10.0.0.2:22 within 10 s',
        '  during: connect',
        '  | kex_exchange␛[31m',
        '  | closed',
        '  caused by: Error: read ECONNRESET',
      ].join('\n'),
    );
  });

  it('ends with the path of the log', () => {
    expect(renderError(refused, { ...look, logPath: '/tmp/x.ndjson' })).toMatch(/\nlog: \/tmp\/x\.ndjson$/);
  });

  it('prints the stack of a bug and how to report it', () => {
    const text = renderError(new TypeError('x is not a function', { cause }), look);
    expect(text).toMatch(/^error: internal error: TypeError: x is not a function\n {4}at /);
    expect(text).toContain('caused by: Error: read ECONNRESET');
    expect(text).toContain('hint: this is a bug in quorate: please report it');
    expect(renderError('a string', look)).toContain("error: internal error: 'a string'");
    expect(renderError(undefined, look)).toContain('internal error: undefined');
  });

  it('survives causes that go in a circle', () => {
    const circle: Error & { cause?: unknown } = new Error('again');
    circle.cause = circle;
    const error = new QuorateError('step-failed', 'failed', { cause: circle });
    expect(renderError(error, { ...look, verbose: true }).split('\n')).toHaveLength(9);
  });
});

describe('errorToJson', () => {
  it('carries code, exit status and every failing host', () => {
    const all = combineErrors('2 hosts', [refused, timeout]);
    expect(errorToJson(all, '/tmp/x')).toMatchObject({
      error: {
        code: 'unreachable',
        exitStatus: 12,
        log: '/tmp/x',
        errors: [{ host: 'etcd-1', hint: 'start sshd' }, { host: 'etcd-2' }],
      },
    });
  });

  it('calls anything else a bug', () => {
    expect(errorToJson(new Error('oops'), undefined)).toMatchObject({
      error: { code: 'bug', message: 'Error: oops', exitStatus: 1 },
    });
  });
});
