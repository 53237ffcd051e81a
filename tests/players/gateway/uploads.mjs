// What a gateway program posts to the server.
import { setTimeout as delay } from 'node:timers/promises';

import { report } from '../control.mjs';

const CONCURRENT = 4;
const MOST_WAITING = 1000;
const TIMEOUT_MS = 30_000;

/** POSTs in the manner of the variant: `uartnode` once and blindly, `uart-node` through a queue and with two retries. */
export class Uploads {
  #base;
  #headers = { 'content-type': 'application/json' };
  #queued;
  #waiting = [];
  #running = 0;

  constructor({ server, token, variant }) {
    this.#base = `${server}/api/node/`;
    this.#queued = variant === 'uart-node';
    if (this.#queued) this.#headers['x-node-token'] = token;
  }

  post(path, body) {
    const upload = { path, body: JSON.stringify(body) };
    if (!this.#queued) return void this.#attempt(upload);
    this.#waiting.push(upload);
    if (this.#waiting.length > MOST_WAITING) this.#waiting.shift();
    this.#next();
  }

  async #next() {
    if (this.#running >= CONCURRENT || this.#waiting.length === 0) return;
    this.#running += 1;
    const upload = this.#waiting.shift();
    for (const pause of [205, 491, null]) {
      if ((await this.#attempt(upload)) || pause === null) break;
      await delay(pause);
    }
    this.#running -= 1;
    this.#next();
  }

  async #attempt({ path, body }) {
    let outcome;
    try {
      const response = await fetch(this.#base + path, {
        method: 'POST',
        headers: this.#headers,
        body,
        signal: AbortSignal.timeout(TIMEOUT_MS),
      });
      outcome = { status: response.status, reply: await response.text() };
    } catch (error) {
      outcome = { status: 0, reply: String(error.cause ?? error) };
    }
    report('posted', { path, body: JSON.parse(body), ...outcome });
    return outcome.status >= 200 && outcome.status < 300;
  }
}
