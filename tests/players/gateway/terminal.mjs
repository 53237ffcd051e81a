// One DTU as a gateway program holds it: a queue in front of a serial line that takes one exchange at a time.
import { DISCOVERY, answer, dtuInfo, read } from './dtu.mjs';
import { Line } from './line.mjs';

const REBOOT_AFTER = 10;
const HEALTH_MS = 60_000;
const NO_ANSWER = '挂载设备响应超时，请检查指令是否正确或设备是否在线';

export class Terminal {
  #dtu;
  #config;
  #uploads;
  #emit;
  #queue = [];
  #locked = true;
  /** Consecutive failed queries, of every pid that was ever asked. */
  #misses = new Map();

  constructor({ dtu, config, uploads, emit }) {
    this.mac = dtu.mac;
    this.online = false;
    this.line = new Line(dtu.port, config.deviceMs);
    this.#dtu = dtu;
    this.#config = config;
    this.#uploads = uploads;
    this.#emit = emit;
    if (this.#speaksHealth()) setInterval(() => this.online && this.#health(), HEALTH_MS).unref();
  }

  /** The DTU connects: known at once, asked for its settings before anything else. */
  async connect() {
    await this.line.open();
    this.online = true;
    this.#emit('terminalOn', this.mac, false);
    this.#discover();
    if (this.#speaksHealth()) this.#state('HANDSHAKING', 'ONLINE', 'initialize_ok');
    this.#unlock();
  }

  /** The DTU's connection ends; what waits in the queue stays there. */
  disconnect() {
    this.line.close();
    this.online = false;
    this.#locked = true;
    this.#emit('terminalOff', this.mac, true);
    if (this.#speaksHealth()) this.#state('ONLINE', 'OFFLINE', 'socket_close');
  }

  /** A query waits its turn. Without a connection it is dropped, and nobody is told. */
  query(query) {
    if (!this.online) return;
    this.#queue.push(() => this.#runQuery(query));
    this.#changed();
  }

  /** An instruct goes to the front. */
  instruct(instruct) {
    if (!this.online) return;
    this.#queue.unshift(() => this.#runInstruct(instruct));
    this.#changed();
  }

  /** An AT command goes to the front too. */
  operate(operation) {
    if (!this.online) return;
    this.#queue.unshift(() => this.#runAt(operation));
    this.#changed();
  }

  #changed() {
    this.#busy();
    this.#next();
  }

  #unlock() {
    this.#locked = false;
    this.#changed();
  }

  async #next() {
    if (this.#locked || this.#queue.length === 0) return;
    this.#locked = true;
    const work = this.#queue.shift();
    this.#busy();
    await work();
    if (this.online) this.#unlock();
  }

  #busy() {
    this.#emit('busy', this.mac, this.#queue.length > 3, this.#queue.length);
  }

  #discover() {
    for (const _command of DISCOVERY) this.#busy();
    this.#uploads.post('dtuinfo', { info: dtuInfo(this.#config.variant, this.#dtu) });
  }

  /** Asks one instruction after the other; a pid that timed out before is only asked its last one. */
  async #runQuery(query) {
    if (this.#misses.get(query.pid) > 0) query.content = [query.content.pop()];
    const failed = [];
    Object.assign(query, { useTime: 0, DevMac: this.mac, eventType: 'QueryInstruct', useBytes: 0, contents: [] });
    for (const content of query.content) {
      const bytes = encode(query.type, content);
      const started = Date.now();
      const buffer = await this.line.exchange(bytes);
      const useTime = Date.now() - started;
      query.useTime += useTime;
      if (!Buffer.isBuffer(buffer)) {
        failed.push(content);
        continue;
      }
      const useByte = bytes.length + buffer.length;
      query.useBytes += useByte;
      query.contents.push({ content, buffer, useTime, useByte });
    }
    query.time = new Date().toString();
    if (query.contents.length === 0) return this.#missed(query.pid);
    this.#misses.set(query.pid, 0);
    if (failed.length > 0) this.#emit('instructTimeOut', this.mac, query.pid, failed);
    this.#uploads.post('queryData', { data: query });
  }

  async #missed(pid) {
    const count = (this.#misses.get(pid) ?? 0) + 1;
    this.#misses.set(pid, count);
    this.#emit('terminalMountDevTimeOut', this.mac, pid, count);
    const allDead = [...this.#misses.values()].every((misses) => misses >= REBOOT_AFTER);
    if (count === REBOOT_AFTER && allDead) await this.#reboot();
  }

  /** A DTU with nothing but dead devices is told to reboot. It is back soon; the server hears of it after a long pause. */
  async #reboot() {
    this.disconnect();
    await this.line.open();
    this.online = true;
    this.#discover();
    setTimeout(() => this.#emit('terminalOn', this.mac, true), this.#config.relineMs);
  }

  async #runInstruct({ type, content, events }) {
    const reply = await this.line.exchange(encode(type, content));
    this.#reply('deviceopratesuccess', events, instructResult(type, content, reply));
  }

  /** The virtual DTU answers at once. A success without a word makes the program ask everything again. */
  async #runAt({ content, events }) {
    const text = answer(this.#dtu.sim, content.replace('+++AT+', ''));
    const { ok, msg } = read(this.#config.variant, text);
    this.#reply('dtuopratesuccess', events, { ok: ok ? 1 : 0, msg: ok ? msg : NO_ANSWER, upserted: Buffer.from(text) });
    if (msg === '') this.#discover();
  }

  #reply(event, events, result) {
    if (this.#config.listReplies) this.#emit(event, [events, result]);
    else this.#emit(event, events, result);
  }

  #speaksHealth() {
    return this.#config.variant === 'uart-node';
  }

  #state(from, to, reason) {
    this.#emit('dtuState', { mac: this.mac, from, to, score: 80, reason, timestamp: Date.now() });
  }

  #health() {
    const counters = { consecutiveSuccesses: 1, consecutiveFailures: 0, queryTimeoutCount: 0, totalRestarts: 0 };
    const health = { lastCommAt: Date.now(), ...counters, totalReconnects: 0, signal: 0 };
    this.#emit('dtuHealth', { mac: this.mac, score: 75, health, timestamp: Date.now() });
  }
}

function encode(type, content) {
  return type === 485 ? Buffer.from(content, 'hex') : Buffer.from(`${content}\r`);
}

/** `ok` is 1 whenever the device said anything; the function code is read as decimal, as the real program does. */
function instructResult(type, content, reply) {
  if (!Buffer.isBuffer(reply)) return { ok: 0, msg: `${NO_ANSWER}/${reply}`, upserted: reply };
  if (type === 232) {
    const text = reply.toString().replace(/[(\n\r]/g, '');
    return { ok: 1, msg: `设备已响应,返回数据：${text}`, upserted: reply };
  }
  const done = reply[1] === Number.parseInt(content.slice(2, 4), 10);
  const msg = done ? '设备已响应,返回字节：' : '设备已响应，但操作失败,返回字节：';
  return { ok: 1, msg: msg + reply.toString('hex'), upserted: reply };
}
