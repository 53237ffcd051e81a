// Plays a gateway program of the field over the genuine npm socket.io-client, down to its habits and its deaths.
//
// Settings, as JSON on the command line:
//   variant     "uartnode"  one socket, no token, uploads never retried
//               "uart-node" two sockets, token in auth, query and header, uploads retried twice
//   server      where the server is, as http://host:port
//   token       the node's token (uart-node only)
//   terminals   [{mac, port, sim}]: the DTUs, each with the local TCP port of its serial line, and whether it has a SIM
//   registerMs  how long it waits with `register` after `accont` (default 0)
//   readyMs     how long it waits with `ready` after `registerSuccess` (10 000 in the field)
//   deviceMs    how long a device may take to answer (10 000 in the field)
//   relineMs    how long after a reboot of a DTU it says that the DTU is back (60 000 in the field)
//   transports  what its first socket connects by; by polling and then an upgrade when absent
//   slash       whether the path ends with a slash (default true)
//   listReplies whether replies to operations are one list of both arguments (default false)
//   timeZone    where it stands; its dates are written in that zone
//
// Orders: drop {mac} · restore {mac} · silence {mac} · unsilence {mac} · lag {mac, ms} · split {mac, split} · quit {}
//         cut {socket} · leave {socket} · return {socket} · say {socket, event, args} · packet {socket, text}
// Reports: opened, upgraded, closed, connected, disconnected, received, sent, posted, died.
import os from 'node:os';

import { obey, report, settings, socketIoClient } from './control.mjs';
import { Terminal } from './gateway/terminal.mjs';
import { Uploads } from './gateway/uploads.mjs';

const config = { token: '', registerMs: 0, readyMs: 10_000, deviceMs: 10_000, relineMs: 60_000, slash: true, ...settings() };
if (config.timeZone) process.env.TZ = config.timeZone;
const twoSockets = config.variant === 'uart-node';
const io = socketIoClient();
const uploads = new Uploads(config);

let registered = false;
let sender = null;
const first = open(1, config.transports ? { transports: config.transports } : {});
const terminals = new Map(config.terminals.map((dtu) => [dtu.mac, new Terminal({ dtu, config, uploads, emit })]));

first.on('accont', () => setTimeout(() => send(1, first, 'register', nodeInfo()), config.registerMs));
first.on('registerSuccess', onRegisterSuccess);
onceRegistered('nodeInfo', (name) => uploads.post('nodeInfo', { name, node: nodeInfo(), tcp: online().length }));
onceRegistered('query', (query) => {
  if (!Array.isArray(query.content)) die(`query.content is no list: ${JSON.stringify(query.content)}`);
  if (query.content.length === 0) die('Reduce of empty array with no initial value: query.content is empty');
  terminals.get(query.mac)?.query(query);
});
onceRegistered('instructQuery', (instruct) => terminals.get(instruct.DevMac)?.instruct(instruct));
onceRegistered('DTUoprate', (operation) => terminals.get(operation.DevMac)?.operate(operation));
if (!twoSockets) first.on('restart', restart);

obey({
  drop: ({ mac }) => terminals.get(mac).disconnect(),
  restore: ({ mac }) => terminals.get(mac).connect(),
  silence: ({ mac }) => terminals.get(mac).line.silence(true),
  unsilence: ({ mac }) => terminals.get(mac).line.silence(false),
  lag: ({ mac, ms }) => terminals.get(mac).line.lag(ms),
  split: ({ mac, split }) => terminals.get(mac).line.split(split),
  cut: ({ socket }) => cut(numbered(socket)),
  leave: ({ socket }) => numbered(socket).disconnect(),
  return: ({ socket }) => numbered(socket).connect(),
  say: ({ socket, event, args }) => send(socket, numbered(socket), event, ...args),
  packet: ({ socket, text }) => numbered(socket).io.engine.write(text),
  quit: () => process.exit(0),
});

/** The first time the program opens its TCP port and DTUs come; later it only says which are there. */
function onRegisterSuccess() {
  if (registered) {
    emit('terminalOn', online(), false);
  } else {
    registered = true;
    for (const terminal of terminals.values()) terminal.connect();
  }
  // Timers of an earlier registration are not cancelled: a quick reconnect yields two `ready`.
  setTimeout(() => send(1, first, 'ready'), config.readyMs);
}

/** Lets go of every DTU and takes them on again. Only one of the programs knows how; the other never answers. */
async function restart({ eventName }) {
  send(1, first, 'result', eventName, 'restart ok');
  for (const terminal of terminals.values()) terminal.disconnect();
  for (const terminal of terminals.values()) await terminal.connect();
}

function numbered(number) {
  return number === 1 ? first : sender;
}

function online() {
  return [...terminals.values()].filter((terminal) => terminal.online).map((terminal) => terminal.mac);
}

/** Says something about a terminal, over the second socket if this variant has one. */
function emit(event, ...args) {
  if (!twoSockets) return send(1, first, event, ...args);
  // The second socket is opened by the first DTU that registers, and goes straight to websocket.
  sender ??= open(2, { transports: ['websocket'] });
  send(2, sender, event, ...args);
}

function send(number, socket, event, ...args) {
  socket.emit(event, ...args);
  report('sent', { socket: number, event, args });
}

/** A command that comes before the first `registerSuccess` of this process kills it, as it does in the field. */
function onceRegistered(event, handler) {
  first.on(event, (...args) => (registered ? handler(...args) : die(`"${event}" came before registerSuccess`)));
}

function die(why) {
  report('died', { why });
  process.exit(1);
}

function open(number, transport) {
  const { token } = config;
  const identity = twoSockets ? { auth: { token }, query: { token }, extraHeaders: { 'x-node-token': token } } : {};
  const socket = io(`${config.server}/node`, { path: '/client', addTrailingSlash: config.slash, forceNew: true, ...identity, ...transport });
  socket.io.on('open', () => {
    const { engine } = socket.io;
    report('opened', { socket: number, transport: engine.transport.name });
    engine.on('upgrade', ({ name }) => report('upgraded', { socket: number, transport: name }));
  });
  socket.io.on('close', (reason) => report('closed', { socket: number, reason }));
  socket.on('connect', () => report('connected', { socket: number }));
  // `retries` is false after a refusal by the namespace: the real program never comes back from that.
  socket.on('disconnect', (reason) => report('disconnected', { socket: number, reason, retries: socket.active }));
  socket.on('connect_error', (error) => report('refused', { socket: number, why: error.message, retries: socket.active }));
  socket.onAny((event, ...args) => report('received', { socket: number, event, args }));
  return socket;
}

/** Cuts the wire without a goodbye; the client comes back by itself. */
function cut(socket) {
  const { engine } = socket.io;
  if (engine.transport.name === 'websocket') engine.transport.ws.terminate();
  else engine.close();
}

function nodeInfo() {
  return {
    hostname: os.hostname(),
    totalmem: `${(os.totalmem() / 1024 ** 3).toFixed(1)}GB`,
    freemem: `${((os.freemem() / os.totalmem()) * 100).toFixed(1)}%`,
    loadavg: os.loadavg().map((load) => Number(load.toFixed(1))),
    type: os.type(),
    uptime: `${Math.floor(os.uptime() / 3600)}h`,
    version: os.version(),
  };
}
