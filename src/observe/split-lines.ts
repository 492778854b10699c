/** Octets to lines, holding one line at most. */

const LINE_FEED = 0x0a;

/** Lines of UTF-8 without their ends. One longer than `limitBytes` is left out. */
export async function* splitLines(chunks: AsyncIterable<unknown>, limitBytes: number): AsyncGenerator<string> {
  let held: Buffer[] = [];
  let heldBytes = 0;
  let skipping = false;
  const hold = (part: Buffer): void => {
    heldBytes += part.length;
    if (heldBytes > limitBytes) skipping = true;
    if (skipping) held = [];
    else held.push(part);
  };
  const take = (): string | undefined => {
    const line = skipping ? undefined : Buffer.concat(held).toString('utf8');
    [held, heldBytes, skipping] = [[], 0, false];
    return line;
  };
  for await (const chunk of chunks) {
    if (!Buffer.isBuffer(chunk)) continue;
    let start = 0;
    for (let end = chunk.indexOf(LINE_FEED); end >= 0; end = chunk.indexOf(LINE_FEED, start)) {
      hold(chunk.subarray(start, end));
      start = end + 1;
      const line = take();
      if (line !== undefined) yield line;
    }
    if (start < chunk.length) hold(chunk.subarray(start));
  }
  if (heldBytes > 0) {
    const line = take();
    if (line !== undefined) yield line;
  }
}
