/** Inventories for tests: the least that is valid, with parts replaced, and the complaints about a text. */
import { QuorateError } from '../../../src/domain/errors.ts';
import { type Inventory, type InventorySource, parseInventory } from '../../../src/inventory/load.ts';

const source: InventorySource = { fileName: 'x.yml', env: {}, directory: '/folder', home: '/home/ada' };

const sections = {
  apiVersion: 'quorate/v1',
  cluster: '{name: x, version: 3.6.16}',
  controllers: '{a: {address: 10.0.0.1}, b: {address: 10.0.0.2}, c: {address: 10.0.0.3}}',
} as const;

/** A valid inventory, a section a line in this order: apiVersion, cluster, controllers, then others; sections may be replaced. */
export function inventoryText(replaced: Readonly<Record<string, string>> = {}): string {
  const all = Object.entries({ ...sections, ...replaced });
  return all.map(([key, value]) => `${key}: ${value}\n`).join('');
}

export function parse(text: string, env: InventorySource['env'] = {}): Inventory {
  return parseInventory(text, { ...source, env });
}

/** The complaints about a text; none for a valid one. Fails on any other error. */
export function complaintsAbout(text: string, env: InventorySource['env'] = {}): readonly string[] {
  try {
    parse(text, env);
    return [];
  } catch (error) {
    if (!(error instanceof QuorateError) || error.code !== 'inventory') throw error;
    return error.errors.length > 0 ? error.errors.map((each) => each.message) : [error.message];
  }
}
