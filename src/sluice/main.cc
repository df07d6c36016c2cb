// sluice: the command-line client. So far it can only say what it is.
#include <cstdio>
#include <string_view>

namespace {

constexpr std::string_view kHelp =
    "sluice, the command-line client of the cluster API.\n"
    "\n"
    "Commands:\n"
    "  version   print the version\n"
    "\n"
    "There are no others yet; curl and websocat speak to the server (see README.md).\n";

void print(std::FILE* to, std::string_view text) { std::fwrite(text.data(), 1, text.size(), to); }

}  // namespace

int main(int argc, char** argv) {
  constexpr int kUsage = 2;
  const std::string_view command = argc == 2 ? argv[1] : "";
  if (command == "version" || command == "--version") {
    print(stdout, "sluice " SLUICE_VERSION "\n");
    return 0;
  }
  const bool asked = command == "--help" || command == "help";
  print(asked ? stdout : stderr, kHelp);
  return asked ? 0 : kUsage;
}
