// One program for all load: `load COMMAND ARGUMENT...` (commands.h).
#include <cstdio>
#include <map>

#include "load/commands.h"

int main(int argc, char** argv) {
  const std::map<std::string, void (*)(const load::Arguments&)> commands = {
      {"drain", load::drain},       {"receive", load::receive},   {"transmit", load::transmit},
      {"pingpong", load::pingpong}, {"limit", load::limit},       {"target", load::target},
      {"ticker", load::ticker},     {"upgrades", load::upgrades}, {"idle", load::idle},
      {"latency", load::latency},   {"follow", load::follow},     {"roundtrips", load::roundtrips},
      {"storm", load::storm}};
  const auto command = argc > 1 ? commands.find(argv[1]) : commands.end();
  if (command == commands.end()) {
    std::fprintf(stderr, "usage: load COMMAND ARGUMENT...\n");
    return 2;
  }
  command->second(load::Arguments(argv + 2, argv + argc));
  return 0;
}
