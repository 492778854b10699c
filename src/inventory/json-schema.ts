/** The JSON Schema of an inventory, for editors; kept in inventories/schema.json, which a test holds equal to this. */
import * as z from 'zod/mini';
import { type EtcdKeyType, etcdKeyRows } from '../domain/etcd-keys-table.ts';
import { fieldNotes } from './fields.ts';
import { inventorySchema } from './schema.ts';

type JsonSchema = Readonly<Record<string, unknown>>;

/**
 * Draft 7. It accepts whatever parseInventory accepts, and more: rules over several keys and what etcd's minors differ in are known to
 * parseInventory alone. Values may hold `${VARIABLES}` anywhere.
 */
export function inventoryJsonSchema(): JsonSchema {
  const schema = z.toJSONSchema(inventorySchema, { io: 'input', target: 'draft-7', override: applyNotes });
  return { title: 'Inventory of quorate', ...schema };
}

function applyNotes({
  zodSchema,
  jsonSchema,
}: {
  zodSchema: z.core.$ZodType;
  jsonSchema: Record<string, unknown>;
}): void {
  const notes = fieldNotes.get(zodSchema);
  if (notes === undefined) return;
  if (notes.shape !== undefined) {
    for (const key of Object.keys(jsonSchema)) delete jsonSchema[key];
    Object.assign(jsonSchema, notes.shape);
  }
  jsonSchema['description'] = notes.about;
  if (zodSchema === inventorySchema.shape.etcd._zod.def.innerType)
    Object.assign(jsonSchema, etcdKeys(jsonSchema['properties']));
}

/** etcd's keys as quorate's table has them, so that editors complete them and mark typos. */
function etcdKeys(properties: unknown): JsonSchema {
  const known = Object.entries(etcdKeyRows).map(([key, row]) => [key, etcdKey(row.type)] as const);
  const others = { 'feature-gates': { type: ['object', 'string'], description: 'Gates by name, each true or false.' } };
  return {
    properties: { ...Object.fromEntries(Object.entries(properties ?? {})), ...Object.fromEntries(known), ...others },
    patternProperties: { '^experimental-': {} },
    additionalProperties: false,
  };
}

const variable = { type: 'string', pattern: '\\$\\{' } as const;

function etcdKey(type: EtcdKeyType): JsonSchema {
  if (typeof type !== 'string') return { anyOf: [{ type: 'string', enum: type }, variable] };
  switch (type) {
    case 'bool':
      return { anyOf: [{ type: 'boolean' }, variable] };
    case 'uint':
    case 'int':
      return { anyOf: [{ type: 'integer' }, variable] };
    case 'duration':
    case 'milliseconds':
    case 'bytes':
    case 'retention':
      return {
        description: `A ${type === 'bytes' ? 'size: 8GiB' : 'time: 5s'}, or a number.`,
        type: ['integer', 'string'],
      };
    case 'string-list':
      return { type: 'array', items: { type: 'string' } };
    case 'comma-list':
      return { type: ['array', 'string'], items: { type: 'string' } };
    case 'socket-options':
      return { type: 'object', additionalProperties: { type: 'boolean' } };
    case 'string':
      return { type: 'string' };
  }
}
