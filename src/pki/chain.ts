/** A leaf and what stands behind it in its file: reading both, and finding a way from the leaf to an authority that is trusted. Pure. */
import { QuorateError } from '../domain/errors.ts';
import { type ParsedCertificate, parseCertificate, splitPem } from './inspect.ts';

/** The certificates of one file, in its order. */
export interface ParsedChain {
  readonly leaf: ParsedCertificate;
  /** Empty where the leaf is served alone. */
  readonly behind: readonly ParsedCertificate[];
}

/** A leaf and all behind it; throws `refused` where there is none, or one that can't be read; `what` names the file. */
export function parseChain(pem: string, what = 'a certificate'): ParsedChain {
  const [leaf, ...behind] = splitPem(pem);
  return {
    leaf: parseCertificate(leaf ?? pem, what),
    behind: behind.map((each) => parseCertificate(each, `${what}, behind the first certificate`)),
  };
}

/** {@link parseChain}, or undefined where it would refuse: for what comes from hosts. */
export function tryParseChain(pem: string): ParsedChain | undefined {
  try {
    return parseChain(pem);
  } catch (error) {
    if (error instanceof QuorateError) return undefined;
    throw error;
  }
}

/** {@link tryParseChain} that reads each text once: reports look at the same file in many places. */
export function parseChainOnce(): (pem: string) => ParsedChain | undefined {
  const known = new Map<string, ParsedChain | undefined>();
  return (pem) => {
    if (!known.has(pem)) known.set(pem, tryParseChain(pem));
    return known.get(pem);
  };
}

/** The leaf's PEM alone; '' where there is no certificate. */
export function leafOf(pem: string): string {
  return splitPem(pem)[0] ?? '';
}

/** The text of a file that holds `leaf` (what may stand behind it is left away), and behind it the cross certificate where there is one. */
export function chainFile(leaf: string, cross: string | undefined): string {
  return [leafOf(leaf), cross ?? ''].map((each) => (each === '' ? '' : `${each.trimEnd()}\n`)).join('');
}
