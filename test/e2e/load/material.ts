/** A client's keys and certificates, read once or again at each handshake. */
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { TlsMaterial } from '../../../src/etcd/secure.ts';
import type { MaterialOrder } from './order.ts';

/** What to shake hands with now. Read at once, not by the pool of threads: on a busy machine its threads come late. */
export type Material = () => TlsMaterial;

interface Leaf {
  readonly cert: string;
  readonly key: string;
}

/** Reads everything once; throws where a file is missing. */
export function openMaterial(order: MaterialOrder): Material {
  let ca = read(order.ca);
  let leaf = readLeaf(order);
  return () => {
    if (!order.keepsCa) ca = read(order.ca);
    if (!order.keepsLeaf) leaf = newerLeaf(leaf, readLeaf(order));
    return { ca, ...leaf };
  };
}

/** A pair that does not fit is one that is just being replaced: the one before is used until both files are there. */
function newerLeaf(before: Leaf, found: Leaf): Leaf {
  if (found.cert === before.cert && found.key === before.key) return before;
  return fits(found) ? found : before;
}

function readLeaf({ cert, key }: MaterialOrder): Leaf {
  return { cert: read(cert), key: read(key) };
}

function read(path: string): string {
  return readFileSync(path, 'utf8');
}

function fits({ cert, key }: Leaf): boolean {
  try {
    return new X509Certificate(cert).checkPrivateKey(createPrivateKey(key));
  } catch {
    return false;
  }
}
