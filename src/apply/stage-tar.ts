/** What a stage's script gets on stdin: a tar of many small files, then perhaps a release. */
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import type { StagedFile } from './fragment.ts';

/** A tar of `files`, all of mode 0600; its length is a multiple of 512. */
export async function stageTar(files: readonly StagedFile[]): Promise<Buffer> {
  const { packTar } = await import('modern-tar/fs');
  return buffer(packTar(files.map(({ name, content }) => ({ type: 'content', content, target: name, mode: 0o600 }))));
}

/** In pieces of this many octets, so that an interrupt need not wait for the rest. */
const PIECE_BYTES = 2 ** 20;

/** The tar, then what a fragment reads for itself. */
export function stageInput(tar: Buffer, rest: Buffer = Buffer.of()): Readable {
  return Readable.from(parts(tar, rest), { objectMode: false });
}

function* parts(tar: Buffer, rest: Buffer): Generator<Buffer> {
  yield tar;
  for (let at = 0; at < rest.length; at += PIECE_BYTES) yield rest.subarray(at, at + PIECE_BYTES);
}
