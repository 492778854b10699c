import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { appendRecords, type NewRecord, readJournal } from '../../../src/pki/journal.ts';

const uuid = '0b4f6d3a-8d1e-4c59-9d4b-0a8a5b0c1d2e';

function record(serial: string, why = 'test'): NewRecord {
  return {
    serial,
    sha256: 'aa',
    spkiSha256: 'bb',
    commonName: 'etcd-1',
    dns: ['etcd-1'],
    ip: [],
    purpose: 'server',
    authority: 'client-1',
    notBefore: '2026-01-01T00:00:00.000Z',
    notAfter: '2027-01-01T00:00:00.000Z',
    who: 'me@here',
    why,
    when: '2026-01-01T00:00:00.000Z',
  };
}

const three = appendRecords(appendRecords('', uuid, [record('01'), record('02')]), uuid, [record('03')]);

test('each line carries the hash of the one before, as sha256sum computes it', () => {
  const lines = three.trimEnd().split('\n');
  expect(readJournal(three, uuid).map((line) => line.serial)).toEqual(['01', '02', '03']);
  const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');
  expect(readJournal(three, uuid).map((line) => line.previous)).toEqual([
    sha256(`quorate issued.jsonl ${uuid}`),
    sha256(lines[0] ?? ''),
    sha256(lines[1] ?? ''),
  ]);
});

test('a line that was changed, dropped, moved or added by hand is told', () => {
  const [a, b, c] = three.trimEnd().split('\n');
  const told = (lines: readonly (string | undefined)[]) => () => readJournal(`${lines.join('\n')}\n`, uuid);
  expect(told([a?.replace('etcd-1', 'etcd-9'), b, c])).toThrow('line 2 does not follow');
  expect(told([a, c])).toThrow('line 2 does not follow');
  expect(told([b, c])).toThrow('line 1 does not follow');
  expect(told([a, c, b])).toThrow('line 2 does not follow');
  expect(told([a, b, c, c])).toThrow('line 4 does not follow');
  expect(told([a, '', b, c])).toThrow('line 2 is not a record');
  expect(() => readJournal(three.slice(0, -1), uuid)).toThrow('line 3 is cut short');
});

test('the journal of another cluster is told', () => {
  expect(() => readJournal(three, '00000000-0000-4000-8000-000000000000')).toThrow('line 1 does not follow');
});

test('no serial stands in it twice', () => {
  expect(() => appendRecords(three, uuid, [record('02')])).toThrow('serial 02 was issued before');
  expect(() => appendRecords('', uuid, [record('02'), record('02')])).toThrow('serial 02 was issued before');
});

test('whatever a reason says, the journal reads back the same', () => {
  fc.assert(
    fc.property(fc.array(fc.string({ unit: 'binary' }), { maxLength: 6 }), (reasons) => {
      const records = reasons.map((why, index) => record(String(index), why));
      const text = appendRecords('', uuid, records);
      expect(text.split('\n')).toHaveLength(records.length + 1);
      expect(readJournal(Buffer.from(text).toString(), uuid).map((line) => line.why)).toEqual(reasons);
    }),
  );
});
