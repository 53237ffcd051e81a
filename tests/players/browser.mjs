// Plays a person's browser on the `/web` namespace over the genuine npm socket.io-client.
//
// Settings, as JSON on the command line:
//   server   where the server is, as http://host:port
//   user     who it says it is
//   token    the sign-in token, sent as the cookie `token`; none when absent
//   events   what it subscribes to, again on every connect
//
// Orders: subscribe {event} · say {event, args} · packet {text} · quit {}
// Reports: connected, disconnected, refused, received.
import { obey, report, settings, socketIoClient } from './control.mjs';

const { server, user, token, events = [] } = settings();
const io = socketIoClient();

const cookie = token === undefined ? {} : { cookie: `token=${token}` };
const socket = io(`${server}/web`, { path: '/client', extraHeaders: { origin: server, ...cookie } });

socket.on('connect', () => {
  report('connected');
  socket.emit('register', { user });
  for (const event of events) socket.emit('subscribe', { event });
});
socket.on('disconnect', (reason) => report('disconnected', { reason, retries: socket.active }));
socket.on('connect_error', (error) => report('refused', { why: error.message, retries: socket.active }));
socket.onAny((event, ...args) => report('received', { event, args }));

obey({
  subscribe: ({ event }) => {
    events.push(event);
    socket.emit('subscribe', { event });
  },
  say: ({ event, args }) => socket.emit(event, ...args),
  packet: ({ text }) => socket.io.engine.write(text),
  quit: () => process.exit(0),
});
