import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readRecord } from '../../../src/domain/journal-record.ts';
import { readLogText, tellLine } from '../../../src/domain/log-lines.ts';
import { plainJson, plainText } from '../../../src/domain/plain-json.ts';

const told = (text: string) => {
  const line = readLogText(text);
  return [line.level, tellLine(line)];
};

describe('a line of etcd', () => {
  it.each([
    [
      "zap's JSON",
      '{"level":"warn","ts":"2026-11-21T11:57:50.096Z","caller":"wal/wal.go:805","msg":"slow fdatasync","took":"1.5 s","expected-duration":"1s","n":2,"list":["a"]}',
      ['warn', 'slow fdatasync took="1.5 s" expected-duration=1s n=2 list="[\\"a\\"]"'],
    ],
    [
      "zap's console",
      '2026-11-21T11:57:50.096Z\tWARN\twal/wal.go:805\tslow fdatasync\t{"took": "1.5s"}',
      ['warn', 'slow fdatasync took=1.5s'],
    ],
    ['zap without fields', '2026-11-21T11:57:50.096Z\tinfo\tcaller.go:1\thello', ['info', 'hello']],
    [
      'capnslog',
      '2026-11-21 12:01:39.104723 E | rafthttp: request sent was ignored',
      ['error', 'rafthttp: request sent was ignored'],
    ],
    ['a notice of capnslog', '2026-11-21 12:01:39.104723 N | etcdmain: hello', ['info', 'etcdmain: hello']],
    [
      'a panic of zap',
      '{"level":"panic","ts":"x","msg":"execute job failed","stacktrace":"long"}',
      ['fatal', 'execute job failed'],
    ],
    ['a stack trace', 'goroutine 162 [running]:', [undefined, 'goroutine 162 [running]:']],
    ['JSON of somebody else', '{"level":"warn","text":1}', [undefined, '{"level":"warn","text":1}']],
    ['JSON that was cut', '{"level":"warn","msg":"x', [undefined, '{"level":"warn","msg":"x']],
    ['an unknown level', '{"level":"loud","msg":"x"}', [undefined, 'x']],
  ])('%s', (_name, text, wanted) => expect(told(text)).toEqual(wanted));

  it('is told in one line, whatever is in it', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.dictionary(fc.string(), fc.jsonValue()), (msg, fields) => {
        expect(tellLine(readLogText(JSON.stringify({ level: 'warn', ...fields, msg })))).not.toMatch(/[\r\n]/);
        expect(tellLine(readLogText(msg))).not.toMatch(/[\r\n]/);
      }),
    );
  });

  it('cannot pass for a line of another host', () => {
    expect(tellLine({ message: 'x\n2026-11-21T00:00:00.000Z etcd-2  fatal  lost', fields: [['a\nb', 'c\nd']] })).toBe(
      'x\u240a2026-11-21T00:00:00.000Z etcd-2  fatal  lost a\u240ab="c\\nd"',
    );
  });
});

describe('a record of the journal', () => {
  const keep = (text: string) => text;
  const record = (fields: object) => JSON.stringify({ __REALTIME_TIMESTAMP: '1700000000123456', ...fields });

  it('has its time, source, level and text', () => {
    const text = record({ MESSAGE: '{"level":"error","msg":"x","y":"z"}', SYSLOG_IDENTIFIER: 'etcd', PRIORITY: '6' });
    expect(readRecord(text, 'etcd-1', keep)).toEqual({
      ...{
        host: 'etcd-1',
        at: 1_700_000_000_123.456,
        source: 'etcd',
        level: 'error',
        message: 'x',
        fields: [['y', 'z']],
      },
    });
  });

  it("takes systemd's priority, and no other's", () => {
    const systemd = record({ MESSAGE: 'Failed', SYSLOG_IDENTIFIER: 'systemd', PRIORITY: '3' });
    expect(readRecord(systemd, 'etcd-1', keep)?.level).toBe('error');
    const etcd = record({ MESSAGE: 'panic: x', SYSLOG_IDENTIFIER: 'etcd', PRIORITY: '6' });
    expect(readRecord(etcd, 'etcd-1', keep)?.level).toBeUndefined();
  });

  it('reads texts with control characters, which journald writes as octets, and fields that came twice', () => {
    expect(readRecord(record({ MESSAGE: [103, 111, 27, 91, 50, 74] }), 'a', keep)?.message).toBe('go\u001b[2J');
    expect(readRecord(record({ MESSAGE: ['first', 'second'] }), 'a', keep)?.message).toBe('first');
    expect(readRecord(record({ MESSAGE: [[103, 111], 'second'] }), 'a', keep)?.message).toBe('go');
  });

  it.each(['', 'no JSON', '[]', '{}', record({}), record({ MESSAGE: null }), '{"MESSAGE":"x"}'])(
    'is none: %s',
    (text) => expect(readRecord(text, 'a', keep)).toBeUndefined(),
  );

  it.each(['1e300', '-5', 1e300, '9'.repeat(40)])('is shown with a time that a Date can tell: %s', (time) => {
    const at = readRecord(JSON.stringify({ __REALTIME_TIMESTAMP: time, MESSAGE: 'x' }), 'a', keep)?.at;
    expect(new Date(at ?? Number.NaN).toISOString()).toBe('1970-01-01T00:00:00.000Z');
  });

  it('is shown or left out whatever it is made of, and ends nothing', () => {
    const deep = (text: string) => `${'['.repeat(200_000)}${text}${']'.repeat(200_000)}`;
    const nested = `{"level":"info","msg":"x","y":${deep('1')}}`;
    expect(readRecord(record({ MESSAGE: nested }), 'a', keep)?.fields).toEqual([['y', '(nested too deeply)']]);
    const raw = `{"__REALTIME_TIMESTAMP":"1700000000123456","MESSAGE":${deep('65')}}`;
    expect(readRecord(raw, 'a', keep)).toBeUndefined();
    expect(readRecord(record({ MESSAGE: [0xff, 0xfe, 1e9, -1] }), 'a', keep)?.message).toHaveLength(4);
    expect(readRecord(record({ MESSAGE: 'x', SYSLOG_IDENTIFIER: { a: 1 }, PRIORITY: [] }), 'a', keep)?.source).toBe('');
    expect(readRecord(record({ MESSAGE: 'y'.repeat(1_000_000) }), 'a', keep)?.message).toHaveLength(1_000_000);
  });

  it('hides a secret that is escaped in its text', () => {
    const text = '{"level":"info","msg":"with s\\u003ccret-12","y":"s\\u003ccret-12"}';
    const line = readRecord(record({ MESSAGE: JSON.parse(`"${text.replaceAll('"', '\\"')}"`) }), 'a', (each) =>
      each.replaceAll('s<cret-12', '***'),
    );
    expect([line?.message, line?.fields]).toEqual(['with ***', [['y', '***']]]);
  });

  it('loses its secrets before it is taken apart', () => {
    const secret = '{"level":"info","msg":"starting","initial-cluster-token":"hidden-token"}';
    const line = readRecord(record({ MESSAGE: secret }), 'a', (text) => text.replace('hidden-token', '***'));
    expect(line?.fields).toEqual([['initial-cluster-token', '***']]);
  });
});

describe('text for terminals', () => {
  it('has no character that moves a cursor or reorders text', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        expect(plainText(text)).not.toMatch(/\p{Cc}|[\u202a-\u202e\u2066-\u2069]/u);
        expect(plainJson({ text })).not.toMatch(/\p{Cc}|[\u202a-\u202e\u2066-\u2069]/u);
        expect(JSON.parse(plainJson({ text }))).toEqual({ text });
      }),
    );
  });
});
