/** Looks for a running etcd on hosts that quorate did not make it on. Reads only. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { FoundHost } from '../adopt/found.ts';
import { chooseMember, detailsOf, peerPort } from '../adopt/look.ts';
import type { FoundMember } from '../adopt/member.ts';
import { type MemberList, parseMemberList } from '../adopt/member-list.ts';
import { parseDetails, parseKey, parseSurvey } from '../adopt/survey.ts';
import { detailScript, readKeyScript, surveyScript } from '../adopt/survey-script.ts';
import type { SurveyWish } from '../commands/adoption-port.ts';
import type { Cluster } from '../domain/cluster.ts';
import { QuorateError } from '../domain/errors.ts';
import { openAll } from '../transport/open.ts';
import type { Connection } from '../transport/transport.ts';
import type { Ui } from '../ui/output.ts';
import type { Process } from './process.ts';

const LOOK_TIMEOUT_MS = 30_000;
const ANSWER_MS = 5_000;
const ANSWER_LIMIT = 65_536;

interface SurveyInput {
  readonly ui: Ui;
  readonly process: Process;
  readonly acceptNewHostKeys: boolean;
}

/** One answer for each controller, in their order: what was found, or why nothing was. */
export async function surveyHosts(
  cluster: Cluster,
  wish: SurveyWish,
  input: SurveyInput,
): Promise<readonly (FoundHost | QuorateError)[]> {
  return withConnections(cluster, input, (connections, failures) =>
    Promise.all(
      cluster.controllers.map(async ({ name, ssh }) => {
        const connection = connections.get(name);
        const failure = failures.find((each) => each.host === name);
        if (connection === undefined) return failure ?? new QuorateError('unreachable', `${name}: was not reached`);
        return surveyHost(connection, ssh.address, wish).catch((error: unknown) => {
          if (error instanceof QuorateError) return error;
          throw error;
        });
      }),
    ),
  );
}

/** A private key on a host, because the operator asked for it by name. @throws QuorateError refused where there is none */
export async function readHostKey(
  cluster: Cluster,
  place: { readonly host: string; readonly path: string },
  input: SurveyInput,
): Promise<string> {
  return withConnections(cluster, input, async (connections, failures) => {
    const { host, path } = place;
    const connection = connections.get(host);
    if (connection === undefined) throw failures.find((each) => each.host === host) ?? new Error(`${host} is no host`);
    const script = { script: readKeyScript(path), root: true, label: `reading ${path}` };
    const key = parseKey((await connection.run(script, { timeoutMs: LOOK_TIMEOUT_MS })).stdout, host);
    if (key !== '') return key;
    throw new QuorateError('refused', `${host}: ${path} holds no key`, {
      host,
      hint: 'name the key with --ca-key FILE',
    });
  });
}

async function withConnections<T>(
  cluster: Cluster,
  { ui, process, acceptNewHostKeys }: SurveyInput,
  use: (connections: ReadonlyMap<string, Connection>, failures: readonly QuorateError[]) => Promise<T>,
): Promise<T> {
  const transports = await openAll(cluster.controllers, {
    env: process.env,
    acceptNewHostKeys,
    askSecret: ui.terminal.interactive ? (question) => ui.askSecret({ question, instead: 'an SSH agent' }) : undefined,
  });
  try {
    return await use(transports.connections, transports.failures);
  } finally {
    await transports.close();
  }
}

async function surveyHost(connection: Connection, address: string, wish: SurveyWish): Promise<FoundHost> {
  const { host } = connection;
  const run = async (script: string): Promise<string> => {
    const { stdout } = await connection.run(
      { script, root: true, label: 'looking for an etcd' },
      { timeoutMs: LOOK_TIMEOUT_MS },
    );
    return stdout;
  };
  const survey = parseSurvey(await run(surveyScript()), host);
  const member = chooseMember(survey, host, wish.unit);
  const details = parseDetails(await run(detailScript(detailsOf(member))), host);
  const list = peerPort(member).tls ? parseMemberList(details.answer) : await askInPlaintext(connection, member);
  return { host, address, survey, member, details, list };
}

/** Through the SSH connection, so that the host needs no program for it. */
async function askInPlaintext(connection: Connection, member: FoundMember): Promise<MemberList | undefined> {
  const { host, port } = peerPort(member);
  try {
    const stream = await connection.tunnel(host, port);
    stream.on('error', () => undefined);
    stream.write('GET /members HTTP/1.0\r\n\r\n');
    const timer = new AbortController();
    const late = sleep(ANSWER_MS, undefined, { signal: timer.signal, ref: false }).then(
      () => stream.destroy(),
      () => undefined,
    );
    let answer = '';
    try {
      for await (const chunk of stream) {
        answer += String(chunk);
        if (answer.length > ANSWER_LIMIT) break;
      }
    } finally {
      timer.abort();
      await late;
      stream.destroy();
    }
    return parseMemberList(answer);
  } catch {
    return undefined; // a port that does not answer is a fact: the others tell the list too
  }
}
