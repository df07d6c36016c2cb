// Node `ws`: opens a URL and prints what it gets as one JSON line.
// usage: node ws.js URL TOKEN [HEADER=VALUE]… ; standard input is sent as messages, line by line.
import readline from 'node:readline';
import WebSocket from 'ws';

const [url, token, ...pairs] = process.argv.slice(2);
const headers = { Authorization: `Bearer ${token}` };
for (const pair of pairs) {
  const at = pair.indexOf('=');
  headers[pair.slice(0, at)] = pair.slice(at + 1);
}

const messages = [];
const socket = new WebSocket(url, { headers });
socket.on('open', () => {
  const lines = readline.createInterface({ input: process.stdin });
  lines.on('line', (line) => socket.send(Buffer.from(`${line}\n`)));
});
socket.on('message', (data, binary) => messages.push({ text: data.toString(), binary }));
socket.on('unexpected-response', (request, response) => finish({ status: response.statusCode }));
socket.on('close', (code, reason) => finish({ messages, code, reason: reason.toString() }));

function finish(result) {
  process.stdout.write(`${JSON.stringify(result)}\n`, () => process.exit(0));
}
