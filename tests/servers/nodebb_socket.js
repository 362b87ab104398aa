// Passes what is POSTed here (JSON: cookie, event, data) on to NodeBB over socket.io, by which its own pages write.
// Arguments: NodeBB's address, the port to listen on. Answers 200 with NodeBB's answer, 400 with its error.
'use strict';

delete globalThis.WebSocket; // the client would take it for a browser's, by which it sends no cookie

const http = require('http');
const connect = require('socket.io-client');

const [address, port] = process.argv.slice(2);
const CALLS_A_SOCKET = 90; // NodeBB hangs up on a socket that made 100 within ten seconds
const sockets = new Map();

function socketOf(cookie) {
  let found = sockets.get(cookie);
  if (found === undefined || found.calls === CALLS_A_SOCKET) {
    if (found !== undefined) found.socket.close();
    const options = { forceNew: true, transports: ['websocket'], extraHeaders: { cookie } };
    found = { socket: connect(address, options), calls: 0 };
    sockets.set(cookie, found);
  }
  found.calls += 1;
  return found.socket;
}

http.createServer((request, response) => {
  const chunks = [];
  request.on('data', (chunk) => chunks.push(chunk));
  request.on('end', () => {
    if (request.method !== 'POST') return response.end();
    const { cookie, event, data } = JSON.parse(Buffer.concat(chunks));
    socketOf(cookie).emit(event, data, (error, answer) => {
      response.writeHead(error ? 400 : 200, { 'Content-Type': 'application/json' });
      response.end(JSON.stringify(error || answer || null));
    });
  });
}).listen(Number(port), '127.0.0.1');
