// The peer of the logs row: a Node `ws` server that sends a file line by line, a message each.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

const require = createRequire(new URL("../tests/clients/node/", import.meta.url));
const { WebSocketServer } = require("ws");

const [port, file] = process.argv.slice(2);
const lines = readFileSync(file, "utf8").split("\n").slice(0, -1);
const server = new WebSocketServer({ host: "127.0.0.1", port: Number(port), perMessageDeflate: false });

server.on("connection", async (socket) => {
  for (let i = 0; i < lines.length; i++) {
    socket.send(Buffer.from(lines[i] + "\n"));
    // Waits now and then for the socket, as a careful server does.
    if (i % 1000 === 0) {
      while (socket.bufferedAmount > 1 << 20) await new Promise((resolve) => setImmediate(resolve));
    }
  }
  socket.close();
});
