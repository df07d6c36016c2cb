// What an API server, or something that calls itself one, sends on a watch: events of all types,
// large ones, lines that are none. They are the same however the bytes are split, up to the first
// line that is no event, and no byte is read behind it.
#include <fuzzer/FuzzedDataProvider.h>

#include <string>
#include <vector>

#include "backend/kubernetes/cache/records.h"
#include "backend/kubernetes/cache/watch_decoder.h"
#include "testing/require.h"

namespace {

using namespace sluice;
using namespace sluice::backend::kubernetes;
using sluice::testing::require;

constexpr std::size_t kMaxEventBytes = 400;

/// The body of a watch, and what it means.
struct Body {
  std::string text;
  std::vector<std::string> events;  // "0pod-a/7": type, name and version
  bool breaks = false;              // behind these
  bool known = true;                // false: what it means is not known here
};

class BodyWriter {
 public:
  explicit BodyWriter(FuzzedDataProvider& input) : input_(input) {}

  Body write() {
    const int count = input_.ConsumeIntegralInRange(0, 20);
    for (int i = 0; i < count; ++i) write_line();
    if (input_.ConsumeIntegralInRange(0, 3) == 0) cut_short();
    return std::move(body_);
  }

 private:
  void write_line() {
    switch (input_.ConsumeIntegralInRange(0, 12)) {
      case 0: write_raw(); break;
      case 1: write_nothing(); break;
      case 2: write_broken(); break;
      default: write_event();
    }
  }

  void write_event() {
    constexpr const char* kTypes[] = {"ADDED", "MODIFIED", "DELETED", "BOOKMARK", "ERROR", "NEW"};
    constexpr const char* kEnds[] = {"\n", "\r\n", " \n"};
    const auto type = input_.ConsumeIntegralInRange<std::size_t>(0, 5);
    const std::string name =
        "pod-" + std::string(1, static_cast<char>('a' + input_.ConsumeIntegralInRange(0, 4)));
    const std::string version = std::to_string(input_.ConsumeIntegral<std::uint16_t>());
    json::object labels{{"app", input_.ConsumeRandomLengthString(20)}};
    json::object meta{{"name", name}, {"resourceVersion", version}};
    if (is_utf8_text(labels)) meta["labels"] = std::move(labels);
    if (input_.ConsumeIntegralInRange(0, 3) == 0) {
      meta["padding"] =
          std::string(input_.ConsumeIntegralInRange<std::size_t>(0, 2 * kMaxEventBytes), 'x');
    }
    const json::object object{{"metadata", std::move(meta)}};
    std::string line = R"({"type":")" + std::string(kTypes[type]) + R"(","object":)";
    line += json::serialize(object);
    line += "}";
    line += input_.PickValueInArray(kEnds);
    body_.text += line;
    if (line.size() - 1 > kMaxEventBytes) {
      body_.breaks = true;
    } else if (!body_.breaks && type < 5) {
      body_.events.push_back(std::to_string(type) + name + "/" + version);
    }
  }

  static bool is_utf8_text(const json::object& labels) {
    return json::parse(json::serialize(labels)).has_value();
  }

  /// Lines that are nothing, and mean nothing.
  void write_nothing() {
    constexpr const char* kLines[] = {"\n", "\r\n", " \t\r\n",
                                      "{\"type\":\"NEW\",\"object\":{}}\n"};
    body_.text += input_.PickValueInArray(kLines);
  }

  void write_broken() {
    constexpr const char* kLines[] = {"x\n",
                                      "{}\n",
                                      "[]\n",
                                      "{\"type\":\"ADDED\"}\n",
                                      "{\"type\":7,\"object\":{}}\n",
                                      "{\"type\":\"ADDED\",\"object\":[]}\n",
                                      "{\"type\":\"ADDED\",\"object\":{}}}\n",
                                      "{\"type\":\"ADDED\",\"object\":{\"a\":1,\"a\":2}}\n"};
    body_.text += input_.PickValueInArray(kLines);
    body_.breaks = true;
  }

  void write_raw() {
    body_.text += input_.ConsumeRandomLengthString(1'000);
    body_.known = false;
  }

  /// The connection ends within a line.
  void cut_short() {
    body_.text.resize(
        body_.text.size() -
        std::min(body_.text.size(), input_.ConsumeIntegralInRange<std::size_t>(0, 60)));
    body_.known = false;
  }

  FuzzedDataProvider& input_;
  Body body_;
};

struct Outcome {
  std::vector<std::string> events;
  std::string error;
  bool operator==(const Outcome&) const = default;
};

/// Reads what is whole by now; false: the watch has broken.
bool drain(WatchDecoder& decoder, Outcome& outcome) {
  while (true) {
    const auto event = decoder.next();
    if (!event) outcome.error = event.error().message;
    if (!event || !*event) return event.has_value();
    const json::object& object = (*event)->object.get_object();
    // What comes out can be read as records, too.
    const PodRecord pod = read_pod(object, {"app"});
    outcome.events.push_back(std::to_string(static_cast<int>((*event)->type)) + pod.name + "/" +
                             read_resource_version(object));
  }
}

/// `cuts`: sizes of the pieces, in turn, over and over.
Outcome read(std::string_view text, const std::vector<std::size_t>& cuts) {
  Outcome outcome;
  WatchDecoder decoder(kMaxEventBytes);
  for (std::size_t i = 0; !text.empty(); ++i) {
    const std::string_view piece = text.substr(0, cuts[i % cuts.size()]);
    decoder.feed(as_bytes(piece));
    if (!drain(decoder, outcome)) break;
    text.remove_prefix(piece.size());
  }
  return outcome;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  FuzzedDataProvider input(data, size);
  std::vector<std::size_t> cuts(input.ConsumeIntegralInRange<std::size_t>(1, 4));
  for (std::size_t& cut : cuts) cut = input.ConsumeIntegralInRange<std::size_t>(1, 100);
  const Body body = BodyWriter(input).write();
  const Outcome whole = read(body.text, {body.text.size() + 1});
  require(whole == read(body.text, cuts), "events are the same however the bytes are split");
  if (!body.known) return 0;
  require(whole.events == body.events, "events are those that were sent");
  require(body.breaks != whole.error.empty(), "what is no event breaks the watch, and only that");
  return 0;
}
