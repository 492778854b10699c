import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { parseProcess, startTicksOf } from '../../../src/lab/machine.ts';
import { type LabRecord, labNames, labPlace, parseRecord, readRecord, writeRecord } from '../../../src/lab/state.ts';

const record: LabRecord = {
  format: 1,
  name: 'demo',
  id: 'abc123',
  phase: 'starting',
  bridge: 'quorate-abc123',
  subnet: { ipv4Prefix: '198.18.7', ipv6Prefix: 'fd71:756f:7261:8' },
  image: '/var/cache/quorate/images/x',
  hosts: [{ name: 'controller-1', machine: 'qabc123-1', ipv4: '198.18.7.11', ipv6: 'fd71:756f:7261:8::11' }],
};

let root = '';
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'quorate-state-'));
});
afterEach(() => rm(root, { recursive: true }));

describe('a lab’s place', () => {
  it('has an id that follows from the folder, so that two checkouts do not meet', () => {
    expect(labPlace('demo', root)).toEqual(labPlace('demo', root));
    expect(labPlace('demo', root).id).toMatch(/^[0-9a-f]{6}$/);
    expect(labPlace('demo', root).id).not.toBe(labPlace('demo', `${root}/other`).id);
    expect(labPlace('demo', root).id).not.toBe(labPlace('test', root).id);
  });

  it.each(['', '..', 'a/b', 'A', '-a', 'a-', 'a b', 'x'.repeat(33), '$(id)', 'a\n'])('refuses the name %j', (name) => {
    expect(() => labPlace(name, root)).toThrow("a lab's name has 1 to 32");
  });
});

describe('a lab’s record', () => {
  it('is read back as it was written', async () => {
    const place = labPlace('demo', root);
    expect(await readRecord(place)).toBeUndefined();
    await writeRecord(place, record);
    expect(await readRecord(place)).toEqual(record);
    expect(await labNames(root)).toEqual(['demo']);
  });

  it.each(['', '{', '[]', '{"format":2}', JSON.stringify({ ...record, extra: 1 })])('refuses %s', (text) => {
    expect(() => parseRecord(text, '/x/demo/lab.json')).toThrow("/x/demo/lab.json: not a lab's record");
  });

  it('lists no labs where there is no root', async () => {
    expect(await labNames(join(root, 'missing'))).toEqual([]);
  });
});

describe('a host’s process', () => {
  const bootId = '5a5c9d4e-0a2f-4a57-9b6e-2f1f0e4a8f10';

  it('is read from what it wrote down itself', () => {
    expect(parseProcess(`4711 8262 ${bootId}\n`)).toEqual({ pid: 4711, startTicks: '8262', bootId });
  });

  it.each(['', '4711\n', `0 8262 ${bootId}\n`, `-1 8262 ${bootId}\n`, `4711 8262 ${bootId}`])('is not %j', (text) => {
    expect(parseProcess(text)).toBeUndefined();
  });

  it('is told from another with its number by its start, whatever its name', () => {
    const rest = 'S 1 1 1 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 1 0 8262 1000 20 184';
    expect(startTicksOf(`4711 (sh) ${rest}`)).toBe('8262');
    expect(startTicksOf(`4711 (a) b) (c) ${rest}`)).toBe('8262');
    expect(startTicksOf(`4711 (sh) Z${rest.slice(1)}`)).toBeUndefined();
    expect(startTicksOf('')).toBeUndefined();
  });
});
