// The least that a pipeline of npm's usual parts does with a device's result: Socket.IO for browsers, BullMQ for jobs, Redis
// for what is kept. It verifies nothing, reads no values, watches no limits and tells nobody: it is what others are measured
// against.
//
// argv[2] is JSON: { "redis": "<path of the socket>", "modules": "<folder of node_modules>" }. Its first line says where it
// listens. With { "drain": n } it pushes n jobs and runs them, and says how long that took.
import { createServer } from 'node:http'
import { createRequire } from 'node:module'

const settings = JSON.parse(process.argv[2])
const require = createRequire(settings.modules + '/')
const { Queue, Worker } = require('bullmq')
const Redis = require('ioredis')
const { Server } = require('socket.io')

const CONCURRENCY = 100
const BATCH = 200
const connect = () => new Redis(settings.redis, { maxRetriesPerRequest: null })
const options = { removeOnComplete: true, removeOnFail: true }

function serve() {
  const queue = new Queue('results', { connection: connect() })
  const http = createServer((request, response) => {
    const parts = []
    request.on('data', part => parts.push(part))
    request.on('end', async () => {
      const { data } = JSON.parse(Buffer.concat(parts).toString())
      await queue.add('result', data, options)
      response.writeHead(200, { 'content-type': 'application/json' }).end('{"code":200}')
    })
  })
  const web = new Server(http, { path: '/client' }).of('/web')
  web.on('connection', socket => {
    socket.on('subscribe', ({ event }) => socket.join(event))
    socket.on('register', () => socket.emit('registerSuccess'))
  })
  const store = connect()
  new Worker('results', async ({ data }) => {
    const device = data.mac + data.pid
    const kept = JSON.stringify(data.contents)
    await store.pipeline().rpush('history:' + device, kept).hset('latest', device, kept).exec()
    web.to(device).emit(device, { asked: data.timeStamp, contents: data.contents })
  }, { connection: connect(), concurrency: CONCURRENCY })
  http.listen(0, '127.0.0.1', () => console.log(JSON.stringify({ listening: `127.0.0.1:${http.address().port}` })))
}

async function drain(count) {
  const queue = new Queue('drain', { connection: connect() })
  await queue.waitUntilReady()
  let done = 0
  const began = performance.now()
  const ended = new Promise(resolve => {
    new Worker('drain', async () => { if (++done === count) resolve() }, { connection: connect(), concurrency: CONCURRENCY })
  })
  for (let pushed = 0; pushed < count; pushed += BATCH) {
    await queue.addBulk(Array.from({ length: BATCH }, (_, n) => ({ name: 'job', data: { n: pushed + n, pad: 'x'.repeat(100) }, opts: options })))
  }
  await ended
  console.log(JSON.stringify({ seconds: (performance.now() - began) / 1000 }))
  process.exit()
}

if (settings.drain) await drain(settings.drain)
else serve()
