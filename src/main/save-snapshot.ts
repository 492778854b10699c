/** Brings a snapshot of etcd's data to the operator's machine: streamed, checked, and only then under its name. */
import { createHash } from 'node:crypto';
import { open, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { QuorateError } from '../domain/errors.ts';
import { explained } from '../domain/system-error.ts';
import { makeDirectory, putInPlace } from '../files/replace.ts';

/** What of the client is used. */
export interface SnapshotSource {
  /** The controller's name. */
  readonly host: string;
  /** Its pieces in order; the last one has nothing left. */
  readonly pieces: AsyncIterable<{ readonly bytes: Uint8Array; readonly remainingBytes: number }>;
}

export interface SavedSnapshot {
  readonly path: string;
  readonly sizeBytes: number;
  /** Of the database, as its trailer says: lower-case hex. */
  readonly sha256: string;
}

/** A sha256 stands behind the database (etcdserver/api/v3rpc/maintenance.go, Snapshot), whose pages are 512 octets or a multiple. */
const TRAILER_BYTES = 32;
const PAGE_BYTES = 512;

/**
 * The file `folder/name`, 0600, in a folder of 0700; it has every key and value of the cluster in plain text. Nothing is left of one that is not whole.
 * @throws QuorateError step-failed where it is cut or its sha256 is another; the source's own
 */
export async function saveSnapshot(source: SnapshotSource, folder: string, name: string): Promise<SavedSnapshot> {
  await makeDirectory(folder);
  const path = join(folder, name);
  const part = `${path}.part`;
  await unlink(part).catch(() => undefined);
  try {
    const checked = await write(source, part);
    await putInPlace(part, path);
    return { path, ...checked };
  } catch (error) {
    await unlink(part).catch(() => undefined);
    throw explained(error, path);
  }
}

async function write({ host, pieces }: SnapshotSource, part: string): Promise<Omit<SavedSnapshot, 'path'>> {
  const file = await open(part, 'wx', 0o600);
  const hash = createHash('sha256');
  // The trailer is known only once nothing follows: its length is held back from the hash.
  let held: Uint8Array = new Uint8Array();
  let sizeBytes = 0;
  try {
    for await (const { bytes } of pieces) {
      await file.writeFile(bytes);
      sizeBytes += bytes.length;
      const all = Buffer.concat([held, bytes]);
      const end = Math.max(0, all.length - TRAILER_BYTES);
      hash.update(all.subarray(0, end));
      held = all.subarray(end);
    }
  } finally {
    await file.close();
  }
  const sha256 = hash.digest('hex');
  if (sizeBytes <= TRAILER_BYTES || sizeBytes % PAGE_BYTES !== TRAILER_BYTES) {
    throw unsound(host, `it ends after ${sizeBytes} octets, without the sha256 that stands behind a whole one`);
  }
  const told = Buffer.from(held).toString('hex');
  if (told !== sha256) throw unsound(host, `its sha256 is ${sha256}, and its trailer says ${told}`);
  return { sizeBytes, sha256 };
}

function unsound(host: string, what: string): QuorateError {
  return new QuorateError('step-failed', `${host}: the snapshot did not arrive whole: ${what}`, {
    host,
    hint: 'nothing was changed; run the same command again, and look at the member’s log where it stays so',
  });
}
