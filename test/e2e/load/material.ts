/** A client's keys and certificates, read once or again at each handshake. */
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import type { TlsMaterial } from '../../../src/etcd/secure.ts';
import type { MaterialOrder } from './order.ts';

/** What to shake hands with now. */
export type Material = () => Promise<TlsMaterial>;

interface Leaf {
  readonly cert: string;
  readonly key: string;
}

/** Reads everything once; throws where a file is missing. */
export async function openMaterial(order: MaterialOrder): Promise<Material> {
  const firstCa = await readFile(order.ca, 'utf8');
  let leaf = await readLeaf(order);
  return async () => {
    const ca = order.keepsCa ? firstCa : await readFile(order.ca, 'utf8').catch(() => firstCa);
    if (!order.keepsLeaf) leaf = await newerLeaf(order, leaf);
    return { ca, ...leaf };
  };
}

/** A pair that does not fit is one that is just being replaced: the one before is used until both files are there. */
async function newerLeaf(order: MaterialOrder, before: Leaf): Promise<Leaf> {
  const found = await readLeaf(order).catch(() => before);
  if (found.cert === before.cert && found.key === before.key) return before;
  return fits(found) ? found : before;
}

async function readLeaf({ cert, key }: MaterialOrder): Promise<Leaf> {
  return { cert: await readFile(cert, 'utf8'), key: await readFile(key, 'utf8') };
}

function fits({ cert, key }: Leaf): boolean {
  try {
    return new X509Certificate(cert).checkPrivateKey(createPrivateKey(key));
  } catch {
    return false;
  }
}
