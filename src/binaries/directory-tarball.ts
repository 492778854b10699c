/** Packs a folder of binaries in the layout of etcd's releases: the same folder gives the same octets on every machine. */
import { createReadStream, createWriteStream } from 'node:fs';
import { mkdir, open, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import type { Architecture } from '../domain/cluster.ts';
import { QuorateError } from '../domain/errors.ts';
import { isSystemError } from '../domain/system-error.ts';
import { putInPlace } from '../files/replace.ts';
import { whileMaking } from './cache-lock.ts';
import { digestFile, type FileDigest } from './file-digest.ts';

import { storedGzip, tarFile } from './tar-stream.ts';

export interface PackRequest {
  /** Holds `names`; nothing else in it is packed. */
  readonly directory: string;
  readonly names: readonly string[];
  /** The tarball's top folder. */
  readonly top: string;
  readonly architecture: Architecture;
  /** Where the tarball is put. */
  readonly path: string;
  readonly signal: AbortSignal;
}

/** The tarball of a folder. Throws QuorateError `inventory` where a binary is missing or of another architecture. */
export async function packDirectory(request: PackRequest): Promise<FileDigest> {
  const { path, signal } = request;
  const sizes = new Map<string, number>();
  for (const name of request.names)
    sizes.set(name, await checkBinary(join(request.directory, name), request.architecture));
  await mkdir(dirname(path), { recursive: true });
  return whileMaking(path, signal, async () => {
    const part = `${path}.part`;
    await pipeline(storedGzip(entries(request, sizes)), createWriteStream(part), { signal });
    await putInPlace(part, path);
    const digest = await digestFile(path, signal);
    if (digest === undefined) throw new Error(`${path}: vanished`);
    return digest;
  });
}

async function* entries(
  { directory, top }: PackRequest,
  sizes: ReadonlyMap<string, number>,
): AsyncIterable<Uint8Array> {
  for (const [name, sizeBytes] of sizes) {
    yield* tarFile(
      { name: `${top}/${name}`, sizeBytes },
      createReadStream(join(directory, name), { highWaterMark: 65_536 }),
    );
  }
  yield new Uint8Array(1024);
}

/** ELF e_machine, and whether the file is little-endian (ELF specification; Linux elf-em.h). */
const elfMachines: Readonly<Record<Architecture, { readonly machine: number; readonly littleEndian: boolean }>> = {
  amd64: { machine: 62, littleEndian: true },
  arm64: { machine: 183, littleEndian: true },
  ppc64le: { machine: 21, littleEndian: true },
  s390x: { machine: 22, littleEndian: false },
};

async function checkBinary(path: string, architecture: Architecture): Promise<number> {
  const head = await readHead(path);
  const { machine, littleEndian } = elfMachines[architecture];
  const isElf = head.length === 20 && head.readUInt32BE(0) === 0x7f454c46;
  const found = isElf ? (head[5] === 1 ? head.readUInt16LE(18) : head.readUInt16BE(18)) : undefined;
  if (found === machine && (head[5] === 1) === littleEndian) return (await stat(path)).size;
  throw new QuorateError('inventory', `${path}: is no program for linux-${architecture}`, {
    hint: 'binaries.path must name a release tarball, or a folder with etcd, etcdctl (and etcdutl from 3.5 on)',
  });
}

async function readHead(path: string): Promise<Buffer> {
  try {
    const file = await open(path, 'r');
    const { buffer, bytesRead } = await file.read(Buffer.alloc(20), 0, 20, 0).finally(() => file.close());
    return buffer.subarray(0, bytesRead);
  } catch (error) {
    if (isSystemError(error, 'ENOENT')) return Buffer.alloc(0);
    throw error;
  }
}
