/** A tar stream and a gzip stream that depend on nothing but their content: no times, no owners, no compressor's version. */
import { crc32 } from 'node:zlib';

export interface TarEntry {
  readonly name: string;
  readonly sizeBytes: number;
}

/** One executable file as ustar (POSIX.1-1988): mode 0755, root, time 0. Throws an Error when `content` has another size. */
export async function* tarFile(entry: TarEntry, content: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array> {
  yield header(entry);
  let size = 0;
  for await (const chunk of content) {
    size += chunk.length;
    yield chunk;
  }
  if (size !== entry.sizeBytes) throw new Error(`${entry.name}: changed while it was read`);
  yield new Uint8Array((512 - (size % 512)) % 512);
}

function header({ name, sizeBytes }: TarEntry): Uint8Array {
  const block = Buffer.alloc(512);
  const octal = (value: number, digits: number) => `${value.toString(8).padStart(digits, '0')}\0`;
  if (block.write(name, 0, 100, 'utf8') !== Buffer.byteLength(name)) throw new Error(`${name}: too long for ustar`);
  block.write(octal(0o755, 7), 100);
  block.write(octal(0, 7), 108);
  block.write(octal(0, 7), 116);
  block.write(octal(sizeBytes, 11), 124);
  block.write(octal(0, 11), 136);
  block.write('        0', 148);
  block.write('ustar\u000000root', 257);
  block.write('root', 297);
  const sum = block.reduce((total, octet) => total + octet, 0);
  block.write(`${octal(sum, 6)} `, 148);
  return block;
}

const BLOCK_OCTETS = 65_535;

/** gzip (RFC 1952) of stored blocks (RFC 1951, 3.2.4): no compression, so that every zlib gives the same octets. */
export async function* storedGzip(content: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array> {
  yield Uint8Array.of(0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255);
  let check = 0;
  let size = 0;
  for await (const chunk of rechunk(content)) {
    check = crc32(chunk, check);
    size += chunk.length;
    yield blockHeader(0, chunk.length);
    yield chunk;
  }
  yield blockHeader(1, 0);
  const trailer = Buffer.alloc(8);
  trailer.writeUInt32LE(check, 0);
  trailer.writeUInt32LE(size % 2 ** 32, 4);
  yield trailer;
}

function blockHeader(final: 0 | 1, length: number): Uint8Array {
  const block = Buffer.alloc(5);
  block[0] = final;
  block.writeUInt16LE(length, 1);
  block.writeUInt16LE(BLOCK_OCTETS - length, 3);
  return block;
}

/** The same octets in chunks of BLOCK_OCTETS, however they arrive. */
async function* rechunk(content: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array> {
  let pending = Buffer.alloc(0);
  for await (const chunk of content) {
    pending = Buffer.concat([pending, chunk]);
    while (pending.length >= BLOCK_OCTETS) {
      yield pending.subarray(0, BLOCK_OCTETS);
      pending = pending.subarray(BLOCK_OCTETS);
    }
  }
  if (pending.length > 0) yield pending;
}
