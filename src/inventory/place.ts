/** Where in the text a value of the inventory stands: paths to offsets and back. */
import { type Document, isAlias, isMap, isNode, isPair, isScalar, isSeq, type Node, type Pair, visit } from 'yaml';
import type { Path } from './complaint.ts';

/** What stands at a path. */
export interface Spot {
  /** The value, aliases followed; undefined where there is none. */
  readonly value: Node | undefined;
  /** Where to point for a complaint about the value: its own text, or its key where it has none or is a collection. */
  readonly offset: number;
  /** Where the key stands, or the item of a list. */
  readonly keyOffset: number;
}

/** A pair of a mapping. */
export interface PairSpot {
  readonly path: Path;
  /** Where the first pair of that mapping with the same key begins. */
  readonly firstOffset: number;
}

/** The spot at a path; for what is not there, the nearest thing above it. */
export function findSpot(document: Document, path: Path): Spot {
  let spot: Spot = { value: toNode(document, document.contents), offset: 0, keyOffset: 0 };
  for (const part of path) {
    const next = step(document, spot.value, part);
    if (next === undefined) return { value: undefined, offset: spot.keyOffset, keyOffset: spot.keyOffset };
    spot = next;
  }
  return spot;
}

function step(document: Document, node: Node | undefined, part: string | number): Spot | undefined {
  if (isSeq(node) && typeof part === 'number') {
    const item = node.items[part];
    if (!isNode(item)) return undefined;
    const offset = item.range?.[0] ?? 0;
    return { value: toNode(document, item), offset, keyOffset: offset };
  }
  const pair = findPair(document, node, String(part));
  if (pair === undefined || !isNode(pair.key)) return undefined;
  const keyOffset = pair.key.range?.[0] ?? 0;
  const written = isNode(pair.value) ? pair.value : undefined;
  const hasText = (isScalar(written) && written.source !== '') || isAlias(written);
  return {
    value: toNode(document, written),
    offset: hasText ? (written.range?.[0] ?? keyOffset) : keyOffset,
    keyOffset,
  };
}

/** The pair of a mapping with this key, also where it comes in by a merge (`<<`). */
function findPair(document: Document, node: Node | undefined, key: string): Pair | undefined {
  if (!isMap(node)) return undefined;
  const own = node.items.find((pair) => keyOf(pair) === key);
  if (own !== undefined) return own;
  for (const pair of node.items.filter((each) => keyOf(each) === '<<')) {
    const merged = toNode(document, pair.value);
    const sources = isSeq(merged) ? merged.items.map((item) => toNode(document, item)) : [merged];
    const found = sources.map((source) => (source === node ? undefined : findPair(document, source, key)));
    const first = found.find((each) => each !== undefined);
    if (first !== undefined) return first;
  }
  return undefined;
}

/** The path to a node that {@link visit} came to through these ancestors. */
export function pathOf(ancestors: readonly unknown[], node: unknown): Path {
  const chain = [...ancestors, node];
  return chain.flatMap((each, index): (string | number)[] => {
    if (isPair(each)) return [keyOf(each)];
    const next = chain[index + 1];
    return isSeq(each) && next !== undefined ? [each.items.indexOf(next)] : [];
  });
}

/** The innermost pair whose key or value is at an offset. */
export function pairAt(document: Document, offset: number): PairSpot | undefined {
  let found: PairSpot | undefined;
  visit(document, {
    Pair: (_, pair, ancestors) => {
      const start = startOf(pair.key) ?? -1;
      const end = isNode(pair.value) ? (pair.value.range?.[1] ?? start) : start;
      if (start > offset || offset > Math.max(start, end)) return;
      const parent = ancestors.at(-1);
      const twin = isMap(parent) ? parent.items.find((each) => keyOf(each) === keyOf(pair)) : undefined;
      found = { path: pathOf(ancestors, pair), firstOffset: startOf(twin?.key) ?? start };
    },
  });
  return found;
}

function startOf(node: unknown): number | undefined {
  return isNode(node) ? node.range?.[0] : undefined;
}

function toNode(document: Document, value: unknown): Node | undefined {
  if (isAlias(value)) return value.resolve(document);
  return isNode(value) ? value : undefined;
}

function keyOf(pair: Pair): string {
  return isScalar(pair.key) ? String(pair.key.value) : '';
}
