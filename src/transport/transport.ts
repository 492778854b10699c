/** The seam between quorate and a machine: start a process, open a tunnel, close. Everything else is built above it. */
import type { Duplex, Readable, Writable } from 'node:stream';

/** A script for a host. */
export interface RemoteScript {
  /** POSIX sh; any size; never holds a secret that is not also meant for the host's disk. */
  readonly script: string;
  /** Whether it runs as root (through sudo where the login is not root). */
  readonly root: boolean;
  /** Words for errors: what this script is for. */
  readonly label: string;
}

/** How a script ended. */
export interface RemoteResult {
  /** Exit status; undefined when a signal ended it. */
  readonly status: number | undefined;
  readonly signal: string | undefined;
  /** Decoded as UTF-8, less whatever the login shell's start files printed. */
  readonly stdout: string;
  readonly stderr: string;
}

/** A process that runs on a host. */
export interface RemoteProcess {
  /** Bytes for the script's own stdin. */
  readonly stdin: Writable;
  /** From the first byte that the script itself wrote. */
  readonly stdout: Readable;
  readonly stderr: Readable;
  /** Resolves when the process and its channel have ended; rejects (QuorateError) when the connection was lost. */
  readonly done: Promise<{ readonly status: number | undefined; readonly signal: string | undefined }>;
  /** Closes the channel; the remote side sees the end of its stdin. */
  close(): void;
}

/** One connection to one host. Errors are QuorateErrors that name host, stage and cause. */
export interface Connection {
  /** The controller's name. */
  readonly host: string;
  start(script: RemoteScript): Promise<RemoteProcess>;
  /** Runs to the end with `input` on stdin. A non-zero status is a result, not an error. */
  run(script: RemoteScript, options: RunOptions): Promise<RemoteResult>;
  /** A byte stream to an address as seen from the host. */
  tunnel(address: string, port: number): Promise<Duplex>;
  close(): Promise<void>;
}

export interface RunOptions {
  readonly input?: Readable | Uint8Array | undefined;
  readonly timeoutMs: number;
  readonly signal?: AbortSignal | undefined;
}
