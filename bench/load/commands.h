// The load programs' commands, one function each; arguments are what follows the command's name.
// Each prints one line of JSON.
#pragma once

#include <string>
#include <vector>

namespace load {

using Arguments = std::vector<std::string>;

// transfer.cc: clients that move many bytes.
void drain(
    const Arguments& arguments);  // PORT [PATH TOKENFILE [BYTES]]: discard to the end, or so many
void receive(
    const Arguments& arguments);  // PORT BYTES [PATH TOKENFILE]: from `target`, raw or WebSocket
void transmit(const Arguments& arguments);  // PORT BYTES [PATH TOKENFILE]: to `target`
void pingpong(const Arguments& arguments);  // PORT COUNT [PATH TOKENFILE]: 1 byte there and back

// peer.cc: what stands at the other end.
void limit(const Arguments& arguments);   // PORT BYTES: sends framed 100-byte lines to one client
void target(const Arguments& arguments);  // PORT: serves receive, transmit and pingpong
void ticker(const Arguments& arguments);  // MILLISECONDS: prints the time, in ns, line by line

// sessions.cc: clients that hold many connections.
void upgrades(
    const Arguments& arguments);  // PORT SECONDS STATUS PATH TOKENFILE: fresh connection each
void idle(
    const Arguments& arguments);  // PORT COUNT plain|tls PATH TOKENFILE: holds until stdin ends
void follow(
    const Arguments& arguments);  // PORT COUNT SECONDS PATH TOKENFILE: who gets a live line in time
void latency(
    const Arguments& arguments);  // PORT FOLLOWERS SECONDS PATH TOKENFILE: of `ticker`'s lines

// storm.cc: clients that all lose their server at once.
void storm(
    const Arguments& arguments);  // PORT COUNT SECONDS PATH TOKENFILE: until each has a line again

// roundtrips.cc: sessions one after the other.
void roundtrips(
    const Arguments& arguments);  // PORT COUNT plain|tls PATH TOKENFILE [SUBPROTOCOL]: to the Close

}  // namespace load
