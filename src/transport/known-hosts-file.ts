/** Reading and extending known_hosts files. */
import { mkdir, open, readFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { isSystemError } from '../domain/system-error.ts';
import { messageOf, stageFailure } from './failure.ts';
import { type KnownHost, parseKnownHosts } from './known-hosts.ts';

/** The lines of a file, none when it does not exist; throws an `untrusted` QuorateError when it cannot be read. */
export async function readKnownHosts(file: string): Promise<readonly KnownHost[]> {
  try {
    return parseKnownHosts(await readFile(file, 'utf8'), file);
  } catch (error) {
    if (isSystemError(error, 'ENOENT')) return [];
    throw stageFailure('host key', `known_hosts file cannot be read: ${messageOf(error)}`, {
      code: 'untrusted',
      cause: error,
    });
  }
}

/**
 * Adds a line, in one write with O_APPEND, so that lines of several processes never mix; a last line without its end is
 * ended first. The file is made with mode 0600. Throws an `untrusted` QuorateError when it cannot be written.
 */
export async function appendKnownHost(file: string, line: string): Promise<void> {
  try {
    await mkdir(dirname(file), { recursive: true, mode: 0o700 });
    const handle = await open(file, 'a+', 0o600);
    try {
      const { size } = await handle.stat();
      const last = size === 0 ? '\n' : (await handle.read(Buffer.alloc(1), 0, 1, size - 1)).buffer.toString('latin1');
      await handle.write(last === '\n' ? line : `\n${line}`);
      await handle.sync();
    } finally {
      await handle.close();
    }
  } catch (error) {
    throw stageFailure('host key', `the new host key cannot be written: ${messageOf(error)}`, {
      code: 'untrusted',
      cause: error,
      hint: 'make the file writable, or pin the key in the inventory (hostKey:)',
    });
  }
}
