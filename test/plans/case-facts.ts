/** What `facts.json` of a plan's case may say, as a compact overlay over modelled hosts. */
import { z } from 'zod';
import type { Cluster } from '../../src/domain/cluster.ts';
import type { HostFacts } from '../../src/domain/facts.ts';
import type { PkiView } from '../../src/domain/pki-view.ts';
import { leafPurposes } from '../../src/domain/step.ts';
import { planBootstrap } from '../../src/plan/bootstrap.ts';
import { planRotate } from '../../src/plan/rotate.ts';
import type { View } from '../../src/plan/view.ts';
import { adminOf } from '../fakes/certificates.ts';
import { runOn } from '../fakes/executor.ts';
import { createModel, listOf } from '../fakes/model.ts';

const wish = z.strictObject({
  members: z.array(z.string()).default([]),
  purposes: z.array(z.enum(leafPurposes)).default([...leafPurposes]),
  due: z.boolean().default(false),
  keys: z.enum(['make', 'keep']).default('make'),
});

const schema = z.strictObject({
  /** Why this case is here. */
  about: z.string(),
  /** The stage of bootstrap that these hosts have been through, with all before it; `mark`: all of it. Without: nothing. */
  through: z.string().optional(),
  /** What was bootstrapped, where the inventory wants something else now. */
  bootstrapped: z
    .strictObject({ version: z.string(), etcd: z.record(z.string(), z.unknown()) })
    .partial()
    .optional(),
  reboot: z.array(z.string()).optional(),
  wipe: z.record(z.string(), z.enum(['data', 'everything'])).optional(),
  /** Facts of hosts that differ: merged deeply; null takes a key away. */
  hosts: z.record(z.string(), z.record(z.string(), z.unknown())).optional(),
  /** Endpoints that do not answer, with what they say. */
  silent: z.record(z.string(), z.string()).optional(),
  /** The state directory of the operator is gone. */
  storeLost: z.boolean().optional(),
  daysLater: z.number().optional(),
  /** What `certs rotate` is asked for. */
  rotate: wish.optional(),
  /** A rotation that ended after this stage. */
  rotated: z.strictObject({ ...wish.shape, through: z.string() }).optional(),
  /** The store has a list of revoked clients, made that many days before now. */
  listAgeDays: z.number().optional(),
  /** The operator's own certificate is new at that time. */
  adminRenewed: z.boolean().optional(),
  /** DNS names that the inventory gives members since they were bootstrapped. */
  addedNames: z.record(z.string(), z.array(z.string())).optional(),
  deleteData: z.boolean().optional(),
  /** What `reset --lost-store` names. */
  lostStore: z.string().optional(),
});

export type CaseFacts = z.infer<typeof schema>;

/** Throws where a key is unknown. */
export function readFacts(text: string): CaseFacts {
  return schema.parse(JSON.parse(text));
}

/** The view that a planner gets in this case. */
export async function viewOfCase(cluster: Cluster, facts: CaseFacts): Promise<View> {
  const model = createModel({
    ...cluster,
    version: facts.bootstrapped?.version ?? cluster.version,
    etcd: facts.bootstrapped?.etcd ?? cluster.etcd,
  });
  if (facts.through !== undefined) {
    const plan = planBootstrap(model.view());
    const end = plan.stages.findIndex((stage) => stage.id === facts.through) + 1;
    if (end === 0) throw new Error(`bootstrap has no stage ${facts.through}`);
    const { error } = await runOn(model, { ...plan, stages: plan.stages.slice(0, end) });
    if (error !== undefined) throw error;
  }
  if (facts.rotated !== undefined) {
    const { through, ...asked } = facts.rotated;
    const plan = planRotate(model.view(), asked);
    const end = plan.stages.findIndex((stage) => stage.id === through) + 1;
    if (end === 0) throw new Error(`the rotation has no stage ${through}`);
    const { error } = await runOn(model, { ...plan, stages: plan.stages.slice(0, end) });
    if (error !== undefined) throw error;
  }
  for (const name of facts.reboot ?? []) model.reboot(name);
  for (const [name, what] of Object.entries(facts.wipe ?? {})) model.wipe(name, what);
  for (const [name, changes] of Object.entries(facts.hosts ?? {})) {
    model.edit(name, (host) => merge(host, changes));
  }
  const seen = model.view();
  const now = seen.now + (facts.daysLater ?? 0) * 86_400_000;
  const { desired } = createModel(cluster).view();
  const endpoints = Object.fromEntries(
    Object.entries(seen.facts.endpoints).map(([name, endpoint]) => {
      const failure = facts.silent?.[name];
      return [name, failure === undefined ? endpoint : { ...endpoint, failure, linearizable: false }];
    }),
  );
  const controllers = cluster.controllers.map((each) => {
    const { dns, ip } = each.sans;
    return { ...each, sans: { ip, dns: [...dns, ...(facts.addedNames?.[each.name] ?? [])] } };
  });
  const renewed = facts.adminRenewed === true ? { ...seen.pki, admin: adminOf(cluster, now) } : seen.pki;
  const pki = facts.listAgeDays === undefined ? renewed : withList(renewed, now - facts.listAgeDays * 86_400_000);
  const view = {
    ...seen,
    pki,
    cluster: { ...cluster, controllers },
    desired,
    now,
    facts: { ...seen.facts, endpoints },
  };
  if (facts.storeLost !== true) return view;
  return { ...view, identity: undefined, pki: { identity: undefined, authorities: [], admin: undefined, goals: [] } };
}

function withList(pki: PkiView, madeAt: number): PkiView {
  return { ...pki, crls: { client: listOf(pki, 'client', madeAt) } };
}

function merge(host: HostFacts, changes: Readonly<Record<string, unknown>>): HostFacts {
  const known = Object.keys(host);
  const unknown = Object.keys(changes).filter((key) => !known.includes(key));
  if (unknown.length > 0) throw new Error(`${unknown.join(', ')}: hosts have no such facts`);
  const merged: HostFacts = JSON.parse(JSON.stringify(mergeValues(host, changes)));
  return merged;
}

function mergeValues(before: unknown, changes: unknown): unknown {
  if (!isRecord(before) || !isRecord(changes)) return changes;
  const merged: Record<string, unknown> = { ...before };
  for (const [key, value] of Object.entries(changes)) {
    if (value === null) delete merged[key];
    else merged[key] = mergeValues(merged[key], value);
  }
  return merged;
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
