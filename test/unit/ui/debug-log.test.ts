import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createDebugLog, logDirectory } from '../../../src/ui/debug-log.ts';
import { createSecrets } from '../../../src/ui/secrets.ts';

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'quorate-log-'));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

const secrets = createSecrets();
const options = (directory: string, now = Date.UTC(2026, 10, 20, 10, 15, 30, 5)) => ({
  directory,
  verb: 'lab up',
  pid: 42,
  now: () => now,
  redactValue: secrets.redactValue,
});

describe('createDebugLog', () => {
  it('makes a private file by the first line and not before', () => {
    const directory = join(root, 'state', 'logs');
    const log = createDebugLog(options(directory));
    expect(log.path()).toBeUndefined();
    log.write({ event: 'note', text: 'hello' });
    const path = join(directory, '20261120T101530.005Z-42-lab-up.ndjson');
    expect(log.path()).toBe(path);
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(statSync(directory).mode & 0o777).toBe(0o700);
    expect(readFileSync(path, 'utf8')).toBe('{"at":"2026-11-20T10:15:30.005Z","event":"note","text":"hello"}\n');
    log.close();
    log.close();
    log.write({ event: 'late' });
  });

  it('is private under any umask', () => {
    const before = process.umask(0);
    try {
      const log = createDebugLog(options(join(root, 'logs')));
      log.write({ event: 'note' });
      expect(statSync(log.path() ?? '').mode & 0o777).toBe(0o600);
      log.close();
    } finally {
      process.umask(before);
    }
  });

  it('passes every value through redaction', () => {
    secrets.add('correct horse');
    const log = createDebugLog(options(root));
    log.write({ event: 'step', nested: [{ text: 'sudo: correct horse battery' }], 'correct horse': 1 });
    expect(readFileSync(log.path() ?? '', 'utf8')).not.toContain('correct horse');
    log.close();
  });

  it('keeps the newest 20 logs and touches nothing else', () => {
    writeFileSync(join(root, 'mine.ndjson'), '');
    for (let second = 0; second < 25; second += 1) {
      const log = createDebugLog(options(root, Date.UTC(2026, 0, 1, 0, 0, second)));
      log.write({ event: 'note' });
      log.close();
    }
    const names = readdirSync(root).toSorted();
    expect(names).toHaveLength(21);
    expect(names[0]).toBe('20260101T000005.000Z-42-lab-up.ndjson');
    expect(names.at(-1)).toBe('mine.ndjson');
  });

  it('never fails a run: not where the directory cannot be made, nor where the file exists', () => {
    writeFileSync(join(root, 'file'), '');
    const log = createDebugLog(options(join(root, 'file', 'logs')));
    log.write({ event: 'note' });
    expect(log.path()).toBeUndefined();
    const circle: Record<string, unknown> = {};
    circle['self'] = circle;
    expect(() => createDebugLog(options(root)).write(circle)).not.toThrow();
  });

  it('closes a directory that was open to others', () => {
    mkdirSync(join(root, 'logs'));
    chmodSync(join(root, 'logs'), 0o755);
    createDebugLog(options(join(root, 'logs'))).write({ event: 'note' });
    expect(statSync(join(root, 'logs')).mode & 0o777).toBe(0o700);
  });
});

it('finds its directory as the XDG specification says', () => {
  expect(logDirectory({ XDG_STATE_HOME: '/state' }, '/root')).toBe('/state/quorate/logs');
  expect(logDirectory({ XDG_STATE_HOME: 'relative' }, '/root')).toBe('/root/.local/state/quorate/logs');
  expect(logDirectory({}, '/root')).toBe('/root/.local/state/quorate/logs');
});
