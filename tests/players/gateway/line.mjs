// A DTU's serial line, bridged over TCP to the program that plays its devices.
import net from 'node:net';

/** One line: what is written comes out at the devices, what they say comes back in chunks. */
export class Line {
  #port;
  #answerMs;
  #silent = false;
  #lagMs = 0;
  #split = false;
  #socket = null;
  /** Who takes the next chunk; nobody between two exchanges. */
  #waits = null;

  constructor(port, answerMs) {
    this.#port = port;
    this.#answerMs = answerMs;
  }

  open() {
    return new Promise((resolve, reject) => {
      const socket = net.connect(this.#port, '127.0.0.1');
      socket.setNoDelay(true);
      socket.once('error', reject);
      socket.once('connect', () => {
        socket.off('error', reject);
        // An error shows as the answer that never comes.
        socket.on('error', () => {}).on('data', (chunk) => this.#arrive(chunk));
        this.#socket = socket;
        resolve();
      });
    });
  }

  close() {
    this.#socket?.destroy();
    this.#socket = null;
  }

  /** A silent line swallows what is written to it: its devices seem dead. */
  silence(silent) {
    this.#silent = silent;
  }

  /** What devices say takes so long to come in. */
  lag(ms) {
    this.#lagMs = ms;
  }

  /** What devices say comes in two chunks, the second a moment after the first. */
  split(split) {
    this.#split = split;
  }

  #arrive(chunk) {
    const chunks = this.#split ? [chunk.subarray(0, 3), chunk.subarray(3)] : [chunk];
    const after = (index) => this.#lagMs + 20 * index;
    for (const [index, part] of chunks.entries()) {
      if (after(index) === 0) this.#deliver(part);
      else setTimeout(() => this.#deliver(part), after(index));
    }
  }

  /** A chunk that nobody waits for is lost. */
  #deliver(chunk) {
    this.#waits?.(chunk);
  }

  /**
   * Writes, and takes the next chunk for the answer, whatever it is: no reassembly, no check, no match. A pseudo-answer
   * (`timeOut`, `stream error`) when none comes.
   */
  exchange(bytes) {
    const socket = this.#socket;
    if (!socket?.writable) return Promise.resolve('stream error');
    return new Promise((resolve) => {
      const closed = () => end('stream error');
      const timer = setTimeout(() => end('timeOut'), this.#answerMs);
      const end = (answer) => {
        clearTimeout(timer);
        socket.off('close', closed);
        this.#waits = null;
        resolve(answer);
      };
      this.#waits = end;
      socket.on('close', closed);
      if (!this.#silent) socket.write(bytes);
    });
  }
}
