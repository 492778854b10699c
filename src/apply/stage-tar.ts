/** What a stage's script gets on stdin: a tar of many small files, then perhaps a release, passed on as it is read. */
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import type { Fragment, StagedFile } from './fragment.ts';

/** A tar of `files`, all of mode 0600; its length is a multiple of 512. */
export async function stageTar(files: readonly StagedFile[]): Promise<Buffer> {
  const { packTar } = await import('modern-tar/fs');
  return buffer(packTar(files.map(({ name, content }) => ({ type: 'content', content, target: name, mode: 0o600 }))));
}

/** The tar, then what a fragment reads for itself. */
export function stageInput(tar: Buffer, stdin: Fragment['stdin']): Readable {
  return Readable.from(parts(tar, stdin), { objectMode: false });
}

async function* parts(tar: Buffer, stdin: Fragment['stdin']): AsyncGenerator<Buffer> {
  yield tar;
  if (stdin !== undefined) yield* stdin.read();
}
