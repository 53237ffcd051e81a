// How the tests speak with a player: one JSON object a line, orders on stdin, reports on stdout.
import { createRequire } from 'node:module';
import { createInterface } from 'node:readline';

/** Tells the test what happened, as `{"<what>": <details>}`. */
export function report(what, details = {}) {
  process.stdout.write(`${JSON.stringify({ [what]: details })}\n`);
}

/**
 * Carries out orders, each a line `{"<order>": <arguments>}`, until stdin closes: a player never outlives its test.
 * An order that is not known ends the player, so that a misspelt test fails at once.
 */
export function obey(orders) {
  const lines = createInterface({ input: process.stdin });
  lines.on('line', (line) => {
    for (const [order, details] of Object.entries(JSON.parse(line))) orders[order](details);
  });
  lines.on('close', () => process.exit(0));
}

/** The settings the test gave on the command line. */
export function settings() {
  return JSON.parse(process.argv[2]);
}

/** The genuine npm client; `tests/run` says where it put it. */
export function socketIoClient() {
  const require = createRequire(`${process.env.TELLTALE_TEST_NODE_MODULES}/`);
  return require('socket.io-client').io;
}
