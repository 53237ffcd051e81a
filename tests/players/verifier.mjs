// Plays a webhook's receiver that checks every delivery with the genuine npm standardwebhooks.
//
// Settings, as JSON on the command line:
//   secret   what it checks with
//
// Orders: secret {secret} · answer {status, headers, times}: the next deliveries are answered so, and not taken
// Reports: listening <port>, once; received {id, taken, genuine, why, body} for each delivery; done <order>.
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import { obey, report, settings } from './control.mjs';

const require = createRequire(`${process.env.TELLTALE_TEST_NODE_MODULES}/`);
const { Webhook } = require('standardwebhooks');

let { secret } = settings();
const answers = [];

function verdict(body, headers) {
  try {
    return { genuine: true, body: new Webhook(secret).verify(body, headers) };
  } catch (error) {
    return { genuine: false, why: String(error.message) };
  }
}

const server = createServer((request, response) => {
  let body = '';
  request.setEncoding('utf8');
  request.on('data', (chunk) => { body += chunk; });
  request.on('end', () => {
    const answer = answers.shift() ?? { status: 204, headers: {} };
    const taken = answer.status < 300;
    response.writeHead(answer.status, answer.headers).end();
    report('received', { id: request.headers['webhook-id'], taken, ...verdict(body, request.headers) });
  });
});
server.listen(0, '127.0.0.1', () => report('listening', server.address().port));

obey({
  secret: (order) => {
    secret = order.secret;
    report('done', 'secret');
  },
  answer: ({ status, headers, times }) => {
    for (let time = 0; time < times; time += 1) answers.push({ status, headers });
    report('done', 'answer');
  },
});
