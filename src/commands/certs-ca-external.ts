/** quorate certs ca external: requests for an authority elsewhere, and the installing of what it signed. */
import { join, resolve } from 'node:path';
import type { Controller } from '../domain/controller.ts';
import { QuorateError } from '../domain/errors.ts';
import { requestFolder } from '../domain/layout.ts';
import { counted } from '../domain/plural.ts';
import { type LeafPurpose, OPERATOR } from '../domain/step.ts';
import { readRequest } from '../pki/csr.ts';
import { adminProfile, memberProfile } from '../pki/profile.ts';
import { readPublicKey } from '../pki/public-key.ts';
import { requestPem, unsignedRequest } from '../pki/signing-request.ts';
import { type InstallWish, planExternalInstall } from '../plan/external-install.ts';
import { planExternalRequest, requestedPurposes, requestMembers } from '../plan/external-request.ts';
import { progressOf } from '../plan/rotation-phases.ts';
import { applyPlan } from './apply-plan.ts';
import { flag, type Invocation, type Ports, type Session, type Verb, value, values } from './command.ts';
import { type ManifestRequest, manifestFiles } from './external-manifest.ts';

export const certsCaExternalRequest: Verb = async (invocation, ports) => {
  const cluster = await ports.cluster();
  const out = folderOf(invocation, ports, 'out');
  const wish = { members: values(invocation, 'member') };
  const session = await ports.session(cluster, { endpoints: false, requireAll: wish.members.length === 0 });
  try {
    const planner = (view: Session['view']) => planExternalRequest(view, wish);
    const run = {
      planner,
      question: `Make keys on the members of ${cluster.name}, for an authority elsewhere?`,
      left: planner,
    };
    const status = await applyPlan(session, run, invocation, ports);
    const requests = await requestsOf(session, requestMembers(session.view, wish), ports);
    const files = manifestFiles(cluster, requests);
    for (const [name, text] of Object.entries(files)) {
      await ports.files.write(join(out, name), text, { mode: 0o644, replace: true });
    }
    ports.ui.out(
      `${counted(requests.length, 'signing request')} in ${out}; MANIFEST.txt says what is to be signed, and how`,
    );
    ports.ui.note(`once they are signed: quorate certs ca external install -i FILE --from DIR`);
    return status;
  } finally {
    await session.close();
  }
};

export const certsCaExternalInstall: Verb = async (invocation, ports) => {
  const cluster = await ports.cluster();
  const wish = await installWish(invocation, ports);
  const session = await ports.session(cluster, { endpoints: true, requireAll: true });
  try {
    const planner = (view: Session['view']) => planExternalInstall(view, wish);
    const run = { planner, question: `Install what was signed for ${cluster.name}?`, left: planner };
    const status = await applyPlan(session, run, invocation, ports);
    tellNext(session, ports);
    return status;
  } finally {
    await session.close();
  }
};

/** What the options ask for, files read. @throws QuorateError usage */
export async function installWish(invocation: Invocation, ports: Ports): Promise<InstallWish> {
  const folder = folderOf(invocation, ports, 'from');
  // Nothing vouches for the new authority with those who trust only the old one: what they would notice is asked for by name.
  const until = value(invocation, 'until') ?? 'trust-both';
  if (until !== 'trust-both' && until !== 'leaves') {
    throw new QuorateError('usage', `--until ${until}: there is no such stage`, {
      hint: 'trust-both or leaves; the end of a change of authorities is quorate certs rotate-ca --until trust-new',
    });
  }
  return { files: await ports.files.readFolder(folder), until, allowDowntime: flag(invocation, 'allowDowntime') };
}

function folderOf(invocation: Invocation, ports: Ports, option: 'out' | 'from'): string {
  const told = value(invocation, option);
  if (told !== undefined) return resolve(ports.operator.directory, told);
  const what = option === 'out' ? 'where requests go' : 'where what was signed lies';
  throw new QuorateError('usage', `certs ca external: the folder is wanted ${what}`, { hint: `--${option} DIR` });
}

async function requestsOf(
  session: Session,
  members: readonly string[],
  ports: Ports,
): Promise<readonly ManifestRequest[]> {
  const { cluster } = session.view;
  const purposes = requestedPurposes(session.view);
  const asked = cluster.controllers.filter(({ name }) => members.includes(name));
  const own = await Promise.all(asked.map((controller) => memberRequests(session, controller, purposes)));
  const all = own.flat();
  if (!purposes.includes('client') || members.length < cluster.controllers.length) return all;
  const profile = adminProfile(cluster.pki);
  const pem = await ports.adminRequest(cluster);
  const authority = authorityOf(session, 'client');
  return [...all, { name: `${OPERATOR}.client`, holder: OPERATOR, authority, profile, pem }];
}

/** Signed where each key is; what comes back is verified before it is written. */
async function memberRequests(
  session: Session,
  controller: Controller,
  purposes: readonly LeafPurpose[],
): Promise<readonly ManifestRequest[]> {
  const { cluster, facts } = session.view;
  const { name } = controller;
  const folder = requestFolder(cluster);
  const unsigned = purposes.map((purpose) => {
    const text = facts.hosts[name]?.texts[`${folder}/${purpose}.pub`];
    if (text === undefined)
      throw new QuorateError('step-failed', `${name}: shows no public key for ${purpose}`, { host: name });
    const profile = memberProfile(purpose, controller, cluster.pki);
    return { purpose, profile, request: unsignedRequest(profile, readPublicKey(text, cluster.pki.algorithm)) };
  });
  const texts = unsigned.map(({ purpose, request }) => {
    return { keyFile: `${folder}/${purpose}.key`, data: request.info, hash: request.hash };
  });
  const signatures = await session.sign(name, texts);
  return unsigned.map(({ purpose, profile, request }, index) => {
    const pem = requestPem(request, signatures[index] ?? Buffer.alloc(0));
    readRequest(pem, `${name}: the request for its ${purpose} key`);
    return { name: `${name}.${purpose}`, holder: name, authority: authorityOf(session, purpose), profile, pem };
  });
}

function authorityOf({ view: { cluster } }: Session, purpose: LeafPurpose): ManifestRequest['authority'] {
  if (cluster.pki.authorities === 'single') return 'both';
  return purpose === 'peer' ? 'peer' : 'client';
}

function tellNext({ view }: Session, ports: Ports): void {
  const open = view.cluster.pki.external.map((each) => progressOf(view.pki, each));
  if (open.includes('trust-both')) {
    ports.ui.note(
      'both authorities are trusted. Give clients the new bundle (quorate certs export), then go on: the same command with --until leaves',
    );
  } else if (open.includes('leaves')) {
    ports.ui.note(
      'members serve certificates of the new authority and still trust the old one; clients that trust the old one alone cannot verify them. Once clients have new certificates: quorate certs rotate-ca --until trust-new',
    );
  } else if (view.identity?.formedAt === undefined) ports.ui.note('now: quorate bootstrap -i FILE');
}
