/** Reads an inventory's text from a file or from stdin. */
import { readFile } from 'node:fs/promises';
import { QuorateError } from '../domain/errors.ts';

/**
 * The text of the file, or of stdin for `-`. Throws QuorateError `inventory` for a file that is not there, cannot be read, is larger than
 * 4 MiB or is not UTF-8.
 */
export async function readInventoryText(path: string): Promise<string> {
  const bytes = path === '-' ? await readStdin() : await readBytes(path);
  const name = path === '-' ? '<stdin>' : path;
  if (bytes.length > MOST_BYTES)
    throw new QuorateError('inventory', `${name}: has ${bytes.length} bytes (an inventory has at most ${MOST_BYTES})`);
  return decode(bytes, name);
}

const MOST_BYTES = 4 * 1024 * 1024;

/** The bytes as text. Throws QuorateError `inventory` that names the first place which is not UTF-8. */
function decode(bytes: Uint8Array, name: string): string {
  const text = decodeStrictly(bytes);
  if (text !== undefined) return text;
  if ((bytes[0] === 0xff && bytes[1] === 0xfe) || (bytes[0] === 0xfe && bytes[1] === 0xff)) {
    throw new QuorateError('inventory', `${name}: is UTF-16 (save it as UTF-8)`);
  }
  const lines = Buffer.from(bytes).toString('latin1').split('\n');
  const line = lines.findIndex((each) => decodeStrictly(Buffer.from(each, 'latin1')) === undefined);
  throw new QuorateError('inventory', `${name}:${line + 1}:1: is not UTF-8 (save the file as UTF-8)`);
}

function decodeStrictly(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return undefined;
  }
}

async function readBytes(path: string): Promise<Uint8Array> {
  try {
    return await readFile(path);
  } catch (cause) {
    const code = cause instanceof Error && 'code' in cause ? String(cause.code) : '';
    const reason = reasons[code] ?? `cannot be read (${code})`;
    throw new QuorateError('inventory', `${path}: ${reason}`, {
      cause,
      hint: 'quorate init user@host… writes one; -i FILE names another',
    });
  }
}

const reasons: Readonly<Record<string, string>> = {
  ENOENT: 'no such file',
  EISDIR: 'is a folder, not a file',
  EACCES: 'may not be read by this user',
};

async function readStdin(): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of process.stdin) chunks.push(Buffer.from(chunk));
  return Buffer.concat(chunks);
}
