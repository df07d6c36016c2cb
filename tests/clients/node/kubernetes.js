// @kubernetes/client-node's WebSocketHandler, which knows Kubernetes' channels, on the paths of sluice.
// usage: node kubernetes.js exec|forward SERVER TOKEN PATH < input ; prints one JSON line.
import { Writable, PassThrough } from 'node:stream';
import { Exec, KubeConfig, PortForward } from '@kubernetes/client-node';

const [mode, server, token, path] = process.argv.slice(2);
const config = new KubeConfig();
config.loadFromClusterAndUser({ name: 'sluice', server, skipTLSVerify: true }, { name: 'user', token });

// The library builds Kubernetes' own paths; all but the path is its WebSocketHandler's.
const { handler } = new Exec(config);
const ownPath = { connect: (_, text, binary) => handler.connect(path, text, binary) };

function collector(into, name) {
  return new Writable({
    write(chunk, _, done) {
      into[name] += chunk.toString();
      done();
    },
  });
}

const result = { out: '', err: '' };
const input = new PassThrough();
const out = collector(result, 'out');
const err = collector(result, 'err');

let socket;
if (mode === 'exec') {
  const done = (status) => { result.status = status; };
  socket = await new Exec(config, ownPath).exec('', '', '', [], out, err, input, false, done);
} else {
  socket = await new PortForward(config, true, ownPath).portForward('', '', [1], out, err, input);
}
// Of a port the library can't end one direction: its input stays open until the server closes.
process.stdin.pipe(input, { end: mode === 'exec' });
result.protocol = socket.protocol;
socket.addEventListener('close', () => {
  process.stdout.write(`${JSON.stringify(result)}\n`, () => process.exit(0));
});
