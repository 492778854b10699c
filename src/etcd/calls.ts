/** The gRPC side of the client: loaded only when something talks to etcd. */
import { connect } from 'node:http2';
import type { Duplex } from 'node:stream';
import { Code, ConnectError, createClient } from '@connectrpc/connect';
import { createGrpcTransport } from '@connectrpc/connect-node';
import { Auth, Cluster, KV, Maintenance } from './gen/rpc_pb.ts';

/** The names in it do not matter: the stream is open already. */
const AUTHORITY = 'https://etcd';

/** Typed callers of etcd's services over one connection that speaks h2. `broken` tells what ended the connection. */
export function createCalls(socket: Duplex) {
  let failure: unknown;
  const note = (error: unknown) => {
    failure ??= error;
  };
  socket.on('error', note);
  const session = connect(AUTHORITY, { createConnection: () => socket });
  // Stays for good: a session that was closed may still report the alert that arrived meanwhile.
  session.on('error', note);
  const transport = createGrpcTransport({
    baseUrl: AUTHORITY,
    acceptCompression: [],
    sessionManager: {
      authority: AUTHORITY,
      request: async (method, path, headers, options) =>
        session.request({ ...headers, ':method': method, ':path': path }, options),
      notifyResponseByteRead: () => undefined,
    },
  });
  return {
    kv: createClient(KV, transport),
    cluster: createClient(Cluster, transport),
    maintenance: createClient(Maintenance, transport),
    auth: createClient(Auth, transport),
    broken: () => failure,
    // Never within a callback of the session, as promises run in: Node would go on for ever sending what is left of a stream that is
    // just being closed, as by a member that is shut down (node issue 52952), and take all memory for it.
    close: () => {
      setImmediate(() => {
        session.destroy();
        socket.destroy();
      });
    },
  };
}

export type Calls = ReturnType<typeof createCalls>;

export interface GrpcFailure {
  /** gRPC's name of the status. */
  readonly status: string;
  readonly reason: string;
  /** Whether etcd said so; otherwise the status was made on this side. */
  readonly answered: boolean;
}

/** What a failed call tells; undefined for an error that no call threw. */
export function grpcFailure(error: unknown): GrpcFailure | undefined {
  if (!(error instanceof ConnectError)) return undefined;
  const status = Code[error.code] ?? String(error.code);
  return { status, reason: error.rawMessage, answered: error.metadata.has('grpc-status') };
}
