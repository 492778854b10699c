/**
 * Decisions as data: `VERB/CASE/{inventory.yml,facts.json,plan.txt}`. What the facts may say: see case-facts.ts.
 * `UPDATE=1 npx vitest run --project unit test/plans` writes plan.txt anew; read the difference before it is committed.
 */
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { parse, stringify } from 'yaml';
import { planAny } from '../../src/commands/plan.ts';
import type { Cluster } from '../../src/domain/cluster.ts';
import { QuorateError } from '../../src/domain/errors.ts';
import type { Plan } from '../../src/domain/plan.ts';
import { parseInventory } from '../../src/inventory/load.ts';
import { resolveCluster } from '../../src/inventory/resolve.ts';
import { planView } from '../../src/main/plan-view.ts';
import { planBootstrap } from '../../src/plan/bootstrap.ts';
import { planReset } from '../../src/plan/reset.ts';
import { planRotate } from '../../src/plan/rotate.ts';
import type { View } from '../../src/plan/view.ts';
import { renderPlan } from '../../src/ui/plan-view.ts';
import { TOKEN } from '../fakes/model.ts';
import { type CaseFacts, readFacts, viewOfCase } from './case-facts.ts';

const planners: Readonly<Record<string, (view: View, facts: CaseFacts) => Plan>> = {
  bootstrap: (view) => planBootstrap(view),
  plan: (view) => planAny(view),
  rotate: (view, { rotate }) => {
    if (rotate === undefined) throw new Error('facts.json says nothing of what is rotated');
    return planRotate(view, rotate);
  },
  reset: (view, { deleteData = false, lostStore }) => planReset(view, { deleteData, lostStore }),
};

const cases = Object.keys(planners).flatMap((verb) =>
  folders(new URL(`./${verb}/`, import.meta.url)).map((name) => ({ verb, name })),
);

describe.each(cases)('$verb: $name', ({ verb, name }) => {
  const folder = new URL(`./${verb}/${name}/`, import.meta.url);
  const read = (file: string): string => readFileSync(new URL(file, folder), 'utf8');
  const expected = new URL('plan.txt', folder);
  const facts = readFacts(read('facts.json'));
  const decide = async (inventory: string, order: 'as is' | 'reversed'): Promise<string> => {
    const view = await viewOfCase(clusterOf(inventory), facts);
    const plan = planners[verb];
    if (plan === undefined) throw new Error(`no planner for ${verb}`);
    return textOf(order === 'as is' ? view : reversed(view), (each) => plan(each, facts));
  };

  it('gives the plan that is written down', async () => {
    const text = await decide(read('inventory.yml'), 'as is');
    if (process.env['UPDATE'] === '1') writeFileSync(expected, text);
    expect(existsSync(expected), 'plan.txt is missing: run with UPDATE=1').toBe(true);
    expect(text).toBe(readFileSync(expected, 'utf8'));
  });

  it('gives it again, in whatever order hosts are written and answer', async () => {
    const text = await decide(read('inventory.yml'), 'as is');
    expect(await decide(read('inventory.yml'), 'as is')).toBe(text);
    expect(await decide(withReversedControllers(read('inventory.yml')), 'reversed')).toBe(text);
  });

  it('shows no token', async () => {
    expect(await decide(read('inventory.yml'), 'as is')).not.toContain(TOKEN);
  });
});

it('knows cases of every verb', () => {
  for (const verb of Object.keys(planners))
    expect(cases.filter((each) => each.verb === verb).length).toBeGreaterThan(2);
});

async function textOf(view: View, planner: (view: View) => Plan): Promise<string> {
  try {
    const shown = await planView(planner(view), view);
    return `${renderPlan(shown, { width: 120, paint: (_style, text) => text, redact: (text) => text })}\n`;
  } catch (error) {
    if (!(error instanceof QuorateError)) throw error;
    return `${error.code}: ${error.message}\nhint: ${error.hint}\n`;
  }
}

function clusterOf(text: string): Cluster {
  const source = { fileName: 'inventory.yml', env: {}, directory: '/operator', home: '/home/operator' };
  return resolveCluster(parseInventory(text, source));
}

function withReversedControllers(text: string): string {
  const inventory: { controllers: Record<string, unknown> } = parse(text);
  return stringify({ ...inventory, controllers: Object.fromEntries(Object.entries(inventory.controllers).reverse()) });
}

function reversed(view: View): View {
  const turn = <T>(record: Readonly<Record<string, T>>): Readonly<Record<string, T>> =>
    Object.fromEntries(Object.entries(record).reverse());
  const { facts } = view;
  const turned = { ...facts, hosts: turn(facts.hosts), endpoints: turn(facts.endpoints) };
  return { ...view, facts: turned, desired: turn(view.desired) };
}

function folders(folder: URL): readonly string[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { withFileTypes: true }).flatMap((each) => (each.isDirectory() ? [each.name] : []));
}
