#!/usr/bin/env node
import { main } from '../dist/main.js';

// A reader that went away, as `| head` does, is no failure.
for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', (error) => {
    if (error.code !== 'EPIPE') throw error;
  });
}

process.exitCode = await main(process.argv.slice(2));
