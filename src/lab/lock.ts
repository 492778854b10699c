/** Locks between processes that a crash releases: flock(1) on a folder, held for as long as its stdin is open. */
import { mkdir, stat } from 'node:fs/promises';
import { execa } from 'execa';
import { QuorateError } from '../domain/errors.ts';

/**
 * Runs `work` while this process alone holds the lock of `folder`, which is made when it is missing.
 * Throws `locked` when another process holds it for longer than `waitMs`.
 */
export async function withFolderLock<T>(folder: string, waitMs: number, work: () => Promise<T>): Promise<T> {
  const release = await lockFolder(folder, waitMs);
  try {
    return await work();
  } finally {
    await release();
  }
}

async function lockFolder(folder: string, waitMs: number): Promise<() => Promise<void>> {
  for (;;) {
    await mkdir(folder, { recursive: true });
    const before = await inode(folder);
    const release = await holdLock(folder, waitMs);
    // Whoever held it may have removed the folder: then this lock is on a folder that nobody else will find.
    if (before !== undefined && (await inode(folder)) === before) return release;
    await release();
  }
}

async function holdLock(folder: string, waitMs: number): Promise<() => Promise<void>> {
  const seconds = String(Math.ceil(waitMs / 1000));
  const holder = execa('flock', ['-w', seconds, '-E', '75', folder, 'sh', '-c', 'echo held; exec cat'], {
    reject: false,
    stdin: 'pipe',
    buffer: false,
  });
  const held = await Promise.race([
    new Promise<boolean>((resolve) => holder.stdout.once('data', () => resolve(true))),
    holder.then(() => false),
  ]);
  if (held) {
    return async () => {
      holder.stdin.end();
      await holder;
    };
  }
  const { exitCode } = await holder;
  if (exitCode === undefined) throw new QuorateError('step-failed', 'flock: cannot be started');
  // The folder can vanish between our mkdir and flock's open; only status 75 says that the wait was over.
  if (exitCode !== 75) return async () => undefined;
  throw new QuorateError('locked', `${folder}: another process has been working here for ${seconds} s`, {
    hint: 'wait for it to end, then run this again',
  });
}

async function inode(path: string): Promise<number | undefined> {
  return stat(path).then(
    (found) => found.ino,
    () => undefined,
  );
}
