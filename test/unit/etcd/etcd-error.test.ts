import { describe, expect, it } from 'vitest';
import { exitStatus } from '../../../src/domain/errors.ts';
import { alertOf, EtcdError } from '../../../src/etcd/etcd-error.ts';
import { failed } from '../../../src/etcd/secure.ts';

describe('alertOf', () => {
  it.each([
    [
      '80:error:0A00045C:SSL routines:ssl3_read_bytes:tlsv13 alert certificate required:SSL alert number 116',
      'certificate required (116)',
    ],
    ['80:error:0A000418:SSL routines:ssl3_read_bytes:tlsv1 alert unknown ca:SSL alert number 48', 'unknown CA (48)'],
    [
      '80:error:0A000412:SSL routines:ssl3_read_bytes:sslv3 alert bad certificate:SSL alert number 42',
      'bad certificate (42)',
    ],
    ['SSL alert number 99', 'alert (99)'],
    ['read ECONNRESET', undefined],
  ])('reads %j', (message, alert) => {
    expect(alertOf(new Error(message))).toBe(alert);
    expect(alertOf(new Error('outer', { cause: new Error(message) }))).toBe(alert);
  });

  it('bears what is no error, and causes that go round', () => {
    const round = new Error('a');
    round.cause = round;
    expect([alertOf(undefined), alertOf('SSL alert number 48'), alertOf(round)]).toEqual([
      undefined,
      undefined,
      undefined,
    ]);
  });
});

describe('an EtcdError', () => {
  it('exits as unreachable, or as a step that failed where etcd itself answered', () => {
    expect(exitStatus(failed('timeout', 'etcd-1', 'no answer', undefined))).toBe(12);
    expect(exitStatus(new EtcdError('etcd', 'etcd-1: etcd refused put: x', { reason: 'x', status: 'Unknown' }))).toBe(
      14,
    );
  });
});
