// A client's whole connection: several requests, sound, odd and wrong ones, with bodies that look
// like requests, in one piece and cut anywhere. They are read the same however they are cut; each
// sound one is read as it was meant, no wrong one is read, and nothing behind it, nor out of a
// body. The answers, whole or in chunks, are one for each that was read, and what was sent.
#include <fuzzer/FuzzedDataProvider.h>

#include <string>
#include <vector>

#include "http/response_parser.h"
#include "http/server_connection.h"
#include "testing/memory_pipe.h"
#include "testing/require.h"
#include "testing/test_loop.h"
#include "testing/virtual_clock.h"

namespace {

using namespace sluice;
using namespace sluice::http;
using sluice::testing::require;
using sluice::testing::require_equal;

constexpr int kMaxRequests = 6;
constexpr std::size_t kMaxPieces = 400;
constexpr unsigned kContinue = 100;

enum class Verdict {
  Sound,  // must be read
  Odd,    // may be refused
  Wrong,  // must be refused
};

struct Written {
  std::string text;
  std::vector<Verdict> verdicts;  // of the requests; the i-th has the path /i
  bool known = true;              // false: what it means is not known here
};

/// Writes requests, and knows what they mean.
class RequestWriter {
 public:
  RequestWriter(FuzzedDataProvider& input, const ServerLimits& limits)
      : input_(input), limits_(limits) {}

  Written write() {
    if (input_.ConsumeIntegralInRange(0, 7) == 0) {
      return {.text = input_.ConsumeRandomLengthString(4'000), .verdicts = {}, .known = false};
    }
    const int count = input_.ConsumeIntegralInRange(1, kMaxRequests);
    for (int i = 0; i < count; ++i) write_request(i);
    if (input_.ConsumeIntegralInRange(0, 3) == 0) damage();
    return std::move(written_);
  }

 private:
  struct Body {
    std::string text;
    std::string encoded;
    bool chunked = false;
  };

  void write_request(int index) {
    verdict_ = Verdict::Sound;
    const std::size_t begin = written_.text.size();
    std::string head = request_line("/" + std::to_string(index));
    head += host();
    head += other_fields();
    const Body body = choose_body();
    head += framing(body);
    head += "\r\n";
    written_.text += head;
    written_.text += body.encoded;
    const bool fits = head.size() <= limits_.head_bytes && body.text.size() <= limits_.body_bytes &&
                      body.encoded.size() <= limits_.head_bytes;
    if (!fits) worsen(Verdict::Odd);
    // An empty line before a request is skipped (RFC 9112 2.2).
    if (input_.ConsumeIntegralInRange(0, 7) == 0) written_.text.insert(begin, "\r\n");
    written_.verdicts.push_back(verdict_);
  }

  void worsen(Verdict verdict) { verdict_ = std::max(verdict_, verdict); }

  /// One of the texts; each says how bad it is.
  struct Choice {
    std::string_view text;
    Verdict verdict = Verdict::Sound;
  };
  template <std::size_t Count>
  std::string choose(const Choice (&choices)[Count]) {
    const Choice& choice = choices[input_.ConsumeIntegralInRange<std::size_t>(0, Count - 1)];
    worsen(choice.verdict);
    return std::string(choice.text);
  }

  std::string request_line(const std::string& path) {
    static constexpr Choice kMethods[] = {
        {"GET"}, {"POST"}, {"HEAD"}, {"OPTIONS"}, {"X-Y"}, {"get"}, {"G(T", Verdict::Wrong}};
    static constexpr Choice kOrigins[] = {{""},
                                          {""},
                                          {""},
                                          {"http://h"},
                                          {"HTTPS://h"},
                                          {"http://other", Verdict::Wrong},
                                          {"x", Verdict::Wrong}};
    static constexpr Choice kQueries[] = {{""},       {""},      {"?"},
                                          {"?a=b&c"}, {"?a?/b"}, {"#f", Verdict::Wrong}};
    static constexpr Choice kEnds[] = {{" HTTP/1.1\r\n"},
                                       {" HTTP/1.1\r\n"},
                                       {" HTTP/1.1\n", Verdict::Wrong},
                                       {" HTTP/1.2\r\n", Verdict::Wrong},
                                       {" HTTP/2.0\r\n", Verdict::Wrong},
                                       {"  HTTP/1.1\r\n", Verdict::Wrong},
                                       {" HTTP/1.1 \r\n", Verdict::Wrong},
                                       {"\r\n", Verdict::Wrong}};
    std::string line = choose(kMethods) + " ";
    line += choose(kOrigins);
    line += path;
    line += choose(kQueries);
    line += choose(kEnds);
    return line;
  }

  std::string host() {
    static constexpr Choice kHosts[] = {{"Host: h\r\n"},
                                        {"hOST:h \t\r\n"},
                                        {"Host: h\r\n"},
                                        {"", Verdict::Wrong},
                                        {"Host: h\r\nHost: h\r\n", Verdict::Wrong},
                                        {"Host: h,i\r\n", Verdict::Wrong},
                                        {"Host : h\r\n", Verdict::Wrong}};
    return choose(kHosts);
  }

  std::string other_fields() {
    static constexpr Choice kFields[] = {{"Connection: keep-alive\r\n"},
                                         {"Connection: close\r\n"},
                                         {"Expect: 100-continue\r\n"},
                                         {"Upgrade: websocket\r\n"},
                                         {"X:\r\n"},
                                         {"X: \xFF\t\"\r\n"},
                                         {"Content-Lengthy: 3\r\n"},
                                         {"X: a\nY: b\r\n", Verdict::Wrong},
                                         {"X: a\rY: b\r\n", Verdict::Wrong},
                                         {"X: a\r\n b\r\n", Verdict::Wrong},
                                         {" X: a\r\n", Verdict::Wrong},
                                         {"X\r\n", Verdict::Wrong},
                                         {"X: \x01\r\n", Verdict::Wrong},
                                         {": x\r\n", Verdict::Wrong}};
    std::string fields;
    const int count = input_.ConsumeIntegralInRange(0, 3);
    for (int i = 0; i < count; ++i) fields += choose(kFields);
    if (input_.ConsumeIntegralInRange(0, 15) == 0) {
      fields += "Long: " + std::string(input_.ConsumeIntegralInRange<std::size_t>(0, 70'000), 'x');
      fields += "\r\n";
    }
    return fields;
  }

  Body choose_body() {
    static constexpr std::string_view kTexts[] = {
        "", "x", "GET /smuggled HTTP/1.1\r\nHost: h\r\n\r\n",
        "0\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: h\r\n\r\n", "\r\n\r\n"};
    Body body;
    body.text = kTexts[input_.ConsumeIntegralInRange<std::size_t>(0, std::size(kTexts) - 1)];
    body.chunked = input_.ConsumeBool();
    body.encoded = body.chunked ? in_chunks(body.text) : body.text;
    return body;
  }

  std::string in_chunks(std::string_view text) {
    static constexpr Choice kExtensions[] = {{""},
                                             {""},
                                             {";a"},
                                             {";a=b"},
                                             {";a=\"b\""},
                                             {";a=\"\n\"", Verdict::Wrong},
                                             {";a=\"", Verdict::Wrong},
                                             {";\n", Verdict::Wrong},
                                             {"g", Verdict::Wrong}};
    static constexpr Choice kTrailers[] = {{""},
                                           {""},
                                           {"Trailer: x\r\n"},
                                           {"Transfer-Encoding: chunked\r\n", Verdict::Odd},
                                           {"Content-Length: 9\r\n", Verdict::Odd},
                                           {"Host: i\r\n", Verdict::Odd}};
    std::string chunks;
    while (!text.empty()) {
      const std::size_t size = input_.ConsumeIntegralInRange<std::size_t>(1, text.size());
      chunks += size_text(size);
      chunks += choose(kExtensions);
      chunks += "\r\n";
      chunks += text.substr(0, size);
      chunks += "\r\n";
      text.remove_prefix(size);
    }
    chunks += "0\r\n";
    chunks += choose(kTrailers);
    chunks += "\r\n";
    return chunks;
  }

  std::string size_text(std::size_t size) {
    char text[32];
    constexpr const char* kFormats[] = {"%zx", "%zX", "000%zx"};
    std::snprintf(text, sizeof text, kFormats[input_.ConsumeIntegralInRange(0, 2)], size);
    return text;
  }

  /// What says where the body ends.
  std::string framing(const Body& body) {
    const std::string size = std::to_string(body.encoded.size());
    if (input_.ConsumeIntegralInRange(0, 3) == 0) {
      worsen(Verdict::Wrong);
      return wrong_framing(size);
    }
    if (body.chunked) return "Transfer-Encoding: Chunked\r\n";
    if (body.text.empty() && input_.ConsumeBool()) return "";
    return "Content-Length: " + size + "\r\n";
  }

  std::string wrong_framing(const std::string& size) {
    const std::string lines[] = {
        "Content-Length: " + size + "\r\nContent-Length: 1" + size + "\r\n",
        "Content-Length: " + size + "\r\nContent-Length: " + size + "\r\n",
        "Content-Length: +" + size + "\r\n",
        "Content-Length: -" + size + "\r\n",
        "Content-Length: 0x" + size + "\r\n",
        "Content-Length: " + size + ", " + size + "\r\n",
        "Content-Length: " + size + " 1\r\n",
        "Content-Length:\r\n",
        "Content-Length: 99999999999999999999" + size + "\r\n",
        "Content-Length : " + size + "\r\n",
        "Content-Length:\r\n " + size + "\r\n",
        "Content-Length: " + size + "\r\nTransfer-Encoding: chunked\r\n",
        "Transfer-Encoding: chunked\r\nContent-Length: " + size + "\r\n",
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n",
        "Transfer-Encoding: gzip, chunked\r\n",
        "Transfer-Encoding: chunked, identity\r\n",
        "Transfer-Encoding: chunked, chunked\r\n",
        "Transfer-Encoding: xchunked\r\n",
        "Transfer-Encoding: \"chunked\"\r\n",
        "Transfer-Encoding: \x0B"
        "chunked\r\n",
        "Transfer-Encoding:\r\n",
        "Transfer-Encoding : chunked\r\n",
        "Transfer-Encoding\r\n: chunked\r\n",
        "X: y\nTransfer-Encoding: chunked\r\n",
    };
    return lines[input_.ConsumeIntegralInRange<std::size_t>(0, std::size(lines) - 1)];
  }

  /// Changes bytes anywhere.
  void damage() {
    written_.known = false;
    std::string& text = written_.text;
    const int count = input_.ConsumeIntegralInRange(1, 4);
    for (int i = 0; i < count && !text.empty(); ++i) {
      const std::size_t at = input_.ConsumeIntegralInRange<std::size_t>(0, text.size() - 1);
      const std::size_t removed = input_.ConsumeIntegralInRange<std::size_t>(0, 3);
      text.replace(at, removed, input_.ConsumeRandomLengthString(4));
    }
  }

  FuzzedDataProvider& input_;
  const ServerLimits& limits_;
  Written written_;
  Verdict verdict_ = Verdict::Sound;
};

/// How a server answers.
struct Manner {
  bool watches_peer = false;
  bool in_chunks = false;
};

/// The pieces of an answer; some look like the end of one.
std::vector<std::string> answer_to(const RequestHead& request) {
  constexpr std::size_t kMoreThanIsCopied = 20'000;
  return {request.path, "", "0\r\n\r\n", std::string(kMoreThanIsCopied, 'x'), "\r\n"};
}

/// What a server makes of it.
struct Outcome {
  std::vector<std::string> paths;
  std::vector<std::string> answers;  // bodies
  std::string received;              // by the client
  bool has_plain_answers = true;     // false: not all are such that a client must understand them
  std::string transcript;            // heads, and how it ended
  bool refused = false;
};

std::string describe(const RequestHead& head) {
  std::string text = head.method + " " + head.path + "?" + head.query + " " +
                     std::to_string(head.minor_version) + (head.keep_alive ? " on" : " last") +
                     "\n";
  for (const Field& field : head.fields) text += field.name + ": " + field.value + "\n";
  return text;
}

class Server {
 public:
  Server(const ServerLimits& limits, Manner manner)
      : pipe_(loop_, {.capacity = 16_MiB}),
        client_(std::move(pipe_.client)),
        connection_(std::move(pipe_.server), clock_, limits),
        manner_(manner) {}

  /// `cuts`: sizes of the pieces, in turn, over and over; empty: all at once.
  Outcome serve(std::string_view text, const std::vector<std::size_t>& cuts) {
    net::TaskGroup tasks(loop_.executor());
    if (cuts.empty()) send(text);
    tasks.spawn("serve", answer_all());
    for (std::size_t i = 0; !cuts.empty() && !text.empty(); ++i) {
      const std::size_t size = std::min(cuts[i % cuts.size()], text.size());
      send(text.substr(0, size));
      text.remove_prefix(size);
      sluice::testing::run_until_idle(loop_);
      clock_.advance(milliseconds(1));
    }
    client_->shutdown_write();
    for (int i = 0; i < 2 * kMaxRequests; ++i) clock_.advance(milliseconds(1));
    tasks.cancel();
    sluice::testing::run_until_empty(loop_, tasks);
    receive();
    return std::move(outcome_);
  }

 private:
  void send(std::string_view text) { (void)client_->try_write(as_bytes(text)); }

  void receive() {
    std::vector<std::byte> block(1_MiB);
    while (true) {
      const Result<std::optional<std::size_t>> count = client_->try_read(block);
      if (!count || !*count || **count == 0) return;
      outcome_.received += as_text(Bytes(block).first(**count));
    }
  }

  net::Task<> answer_all() {
    while (true) {
      const Result<std::optional<RequestHead>> head = co_await connection_.read_head();
      if (!head || !*head) {
        end_with(head);
        co_return;
      }
      const RequestHead& request = **head;
      outcome_.paths.push_back(request.path);
      outcome_.transcript += describe(request);
      if (request.fields.find("Upgrade")) {
        co_await upgrade();
        co_return;
      }
      if (manner_.watches_peer) co_await watch_peer();
      const Result<> sent = co_await answer(request);
      if (!sent || !request.keep_alive) co_return;
    }
  }

  net::Task<Result<>> answer(const RequestHead& request) {
    if (request.method == "HEAD") outcome_.has_plain_answers = false;
    const std::vector<std::string> pieces = answer_to(request);
    std::string body;
    for (const std::string& piece : pieces) body += piece;
    outcome_.answers.push_back(body);
    const ResponseHead head;
    if (!manner_.in_chunks || request.method == "HEAD") {
      const Response response{head, std::move(body)};
      co_return co_await connection_.respond(response, request.keep_alive);
    }
    CO_TRY_VOID(co_await connection_.start_chunks(head, request.keep_alive));
    for (const std::string& piece : pieces) {
      CO_TRY_VOID(co_await connection_.write_chunk(as_bytes(piece)));
    }
    co_return co_await connection_.finish_chunks();
  }

  void end_with(const Result<std::optional<RequestHead>>& head) {
    outcome_.refused = !head;
    // For which of several reasons may depend on the cuts.
    const bool is_cut = !head && head.error().code == ErrorCode::Unavailable;
    outcome_.transcript += head ? "end" : is_cut ? "cut short" : "refused";
  }

  /// As a handler does while it produces its response.
  net::Task<> watch_peer() {
    net::TaskGroup watching(loop_.executor());
    watching.spawn("watch", ignore(connection_.peer_ended()));
    (void)co_await clock_.sleep_for(milliseconds(1));
    watching.cancel();
    co_await watching.join();
  }

  static net::Task<> ignore(net::Task<Result<>> task) { (void)co_await std::move(task); }

  net::Task<> upgrade() {
    outcome_.has_plain_answers = false;
    const ResponseHead head{101, {}};
    Result<Upgraded> upgraded = co_await connection_.upgrade(head);
    if (!upgraded) co_return;
    outcome_.transcript += upgraded->leftover;
    std::array<std::byte, 4096> block;
    while (true) {
      const Result<std::size_t> count = co_await upgraded->stream->read(block);
      if (!count || *count == 0) break;
      outcome_.transcript += as_text(Bytes(block).first(*count));
    }
  }

  net::EventLoop loop_;
  sluice::testing::VirtualClock clock_{loop_};
  sluice::testing::MemoryPipe pipe_;
  std::unique_ptr<net::Stream> client_;
  ServerConnection connection_;
  const Manner manner_;
  Outcome outcome_;
};

void check_meaning(const Written& written, const Outcome& outcome) {
  const std::size_t read = outcome.paths.size();
  require(read <= written.verdicts.size(), "nothing is read that was not sent");
  for (std::size_t i = 0; i < read; ++i) {
    require(outcome.paths[i] == "/" + std::to_string(i), "requests are read as they were meant");
    require(written.verdicts[i] != Verdict::Wrong, "a wrong request is refused");
  }
  if (outcome.refused && read < written.verdicts.size()) {
    require(written.verdicts[read] != Verdict::Sound, "a sound request is read");
  }
}

/// The bodies of the responses that a client has received; 100 (Continue) is none.
std::vector<std::string> bodies_in(std::string_view received) {
  std::vector<std::string> bodies;
  while (!received.empty()) {
    ResponseParser parser;
    std::string body;
    while (!parser.complete() && !received.empty()) {
      const Result<std::size_t> taken = parser.feed(received);
      require(taken && *taken > 0, "a response is well formed, and all there");
      body += parser.body();
      received.remove_prefix(*taken);
    }
    if (!parser.complete()) require(parser.finish().has_value(), "the last response is all there");
    if (parser.take_head().status != kContinue) bodies.push_back(std::move(body));
  }
  return bodies;
}

ServerLimits choose_limits(FuzzedDataProvider& input) {
  constexpr std::size_t kHeads[] = {64_KiB, 64_KiB, 200};
  constexpr std::size_t kBodies[] = {64_KiB, 40, 0};
  ServerLimits limits;
  limits.head_bytes = input.PickValueInArray(kHeads);
  limits.body_bytes = input.PickValueInArray(kBodies);
  limits.head_timeout = limits.keep_alive_timeout = std::chrono::hours(1);
  return limits;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  FuzzedDataProvider input(data, size);
  const ServerLimits limits = choose_limits(input);
  Manner manner;
  manner.watches_peer = input.ConsumeBool();
  std::vector<std::size_t> cuts(input.ConsumeIntegralInRange<std::size_t>(1, 4));
  for (std::size_t& cut : cuts) cut = input.ConsumeIntegralInRange<std::size_t>(1, 60);
  const Written written = RequestWriter(input, limits).write();
  manner.in_chunks = input.ConsumeBool();
  // Much is not cut into the smallest pieces: that takes long and shows nothing more.
  for (std::size_t& cut : cuts) cut = std::max(cut, written.text.size() / kMaxPieces);

  const Outcome whole = Server(limits, manner).serve(written.text, {});
  const Outcome in_pieces = Server(limits, manner).serve(written.text, cuts);
  require_equal(whole.transcript, in_pieces.transcript, "it is read the same however it is cut");
  if (written.known) check_meaning(written, whole);
  if (whole.has_plain_answers) {
    require(bodies_in(whole.received) == whole.answers, "each answer arrives as it was sent");
  }
  return 0;
}
