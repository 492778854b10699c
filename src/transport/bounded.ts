/** What a host says, as long as it is no more than anybody needs: a stream that never ends must not fill this machine's memory. */
import { QuorateError } from '../domain/errors.ts';

export interface Bound {
  readonly host: string;
  /** What is read, in words: `the output of stage "start"`. */
  readonly what: string;
  readonly limitBytes: number;
}

/** The stream's octets. Throws `step-failed` with host and limit once there are more of them. */
export async function* bounded(stream: AsyncIterable<unknown>, bound: Bound): AsyncGenerator<Buffer> {
  let sizeBytes = 0;
  for await (const chunk of stream) {
    const octets = Buffer.isBuffer(chunk) ? chunk : Buffer.from(String(chunk));
    sizeBytes += octets.length;
    if (sizeBytes > bound.limitBytes) throw tooMuch(bound);
    yield octets;
  }
}

function tooMuch({ host, what, limitBytes }: Bound): QuorateError {
  const limit = limitBytes >= 1_048_576 ? `${limitBytes / 1_048_576} MiB` : `${limitBytes / 1024} KiB`;
  return new QuorateError('step-failed', `${host}: ${what} is longer than ${limit}`, {
    host,
    hint: `no sound host says as much: look at what answers there`,
  });
}
