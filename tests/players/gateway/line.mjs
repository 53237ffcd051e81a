// A DTU's serial line, bridged over TCP to the program that plays its devices.
import net from 'node:net';

/** One line: what is written comes out at the devices, what they say comes back in chunks. */
export class Line {
  #port;
  #answerMs;
  #silent = false;
  #socket = null;

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
        // A chunk that nobody waits for is lost; an error shows as the answer that never comes.
        socket.on('error', () => {}).resume();
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

  /**
   * Writes, and takes the next chunk for the answer, whatever it is: no reassembly, no check, no match. A pseudo-answer
   * (`timeOut`, `stream error`) when none comes.
   */
  exchange(bytes) {
    const socket = this.#socket;
    if (!socket?.writable) return Promise.resolve('stream error');
    return new Promise((resolve) => {
      const answered = (chunk) => end(chunk);
      const closed = () => end('stream error');
      const timer = setTimeout(() => end('timeOut'), this.#answerMs);
      const end = (answer) => {
        clearTimeout(timer);
        socket.off('data', answered).off('close', closed);
        resolve(answer);
      };
      socket.on('data', answered).on('close', closed);
      if (!this.#silent) socket.write(bytes);
    });
  }
}
