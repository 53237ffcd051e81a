// Plays a program on the `/live` namespace over the genuine npm socket.io-client. It keeps its books as docs/WIRE.md, 8,
// says: the last place of each channel, with which it subscribes again on every connect.
//
// Settings, as JSON on the command line:
//   server     where the server is, as http://host:port
//   token      the sign-in token, sent as `auth.token`
//   channels   what it subscribes to
//
// Orders: leave {} · come {server} · quit {}
// Reports: connected, disconnected, refused, acknowledged, envelope.
import { obey, report, settings, socketIoClient } from './control.mjs';

const { server, token, channels } = settings();
const io = socketIoClient();
const places = new Map();

function isAt(channel, { seq, epoch }) {
  const place = places.get(channel);
  if (place === undefined || place.epoch !== epoch || place.seq < seq) places.set(channel, { seq, epoch });
}

// A balancer may bring each request of a polling client to another server.
const socket = io(`${server}/live`, {
  path: '/client', auth: { token }, transports: ['websocket'], reconnectionDelay: 100, reconnectionDelayMax: 500,
});

socket.on('connect', () => {
  report('connected');
  const wanted = channels.map((channel) => ({ channel, ...places.get(channel) }));
  socket.emit('subscribe', { channels: wanted }, ({ channels: answers }) => {
    for (const answer of answers) {
      if (answer.ok) isAt(answer.channel, answer);
      report('acknowledged', answer);
    }
  });
});
socket.on('disconnect', (reason) => report('disconnected', { reason }));
socket.on('connect_error', (error) => report('refused', { why: error.message }));
socket.on('live', (envelope) => {
  if (envelope.seq !== undefined) isAt(envelope.channel, envelope);
  report('envelope', envelope);
});

obey({
  leave: () => socket.disconnect(),
  come: ({ server: another }) => {
    socket.io.uri = another;
    socket.connect();
  },
  quit: () => process.exit(0),
});
