// A WebSocket's life, of either role: a peer that sends sound frames and broken ones, cut anywhere,
// while we send, ping and close and time passes. What is received is what a second reading of the
// peer's bytes finds, up to the first broken rule and nothing behind it; what we send is sound.
#include <fuzzer/FuzzedDataProvider.h>

#include "testing/memory_pipe.h"
#include "testing/require.h"
#include "testing/seeded_random.h"
#include "testing/test_loop.h"
#include "testing/virtual_clock.h"
#include "ws/connection.h"
#include "ws/frame_reading_test_support.h"

namespace {

using namespace sluice;
using namespace sluice::ws;
using sluice::testing::require;

constexpr int kMaxSteps = 60;
constexpr std::uint64_t kMaxMessageBytes = 200'000;
constexpr std::size_t kCapacity = 100'000;
constexpr nanoseconds kPatience = seconds(5);

/// Sizes around the edges: of the header's forms, of the buffers, and of what is written directly.
std::size_t choose_size(FuzzedDataProvider& input) {
  constexpr std::size_t kSizes[] = {0,   1,     2,      7,      125,    126,
                                    127, 4'096, 16'383, 16'384, 65'535, 65'536};
  if (input.ConsumeBool()) return input.ConsumeIntegralInRange<std::size_t>(0, 40);
  return input.PickValueInArray(kSizes);
}

constexpr std::string_view kPattern = "a\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80z";

/// Text of characters of each length; a cut may fall into one.
std::string text_of(std::size_t size, std::size_t begin) {
  std::string text(size, '\0');
  for (std::size_t i = 0; i < size; ++i) text[i] = kPattern[(begin + i) % kPattern.size()];
  return text;
}

Connection::Options choose_options(FuzzedDataProvider& input) {
  Connection::Options options;
  options.role = input.ConsumeBool() ? Role::Server : Role::Client;
  constexpr std::uint64_t kLimits[] = {kMaxMessageBytes, 1'000, 125, 0};
  options.max_message_bytes = input.PickValueInArray(kLimits);
  if (input.ConsumeBool()) {
    options.compression.emplace();
    for (DeflateDirection* direction :
         {&options.compression->server, &options.compression->client}) {
      direction->window_bits = input.ConsumeIntegralInRange(9, 15);
      if (input.ConsumeBool()) direction->takeover = ContextTakeover::Drop;
    }
  }
  return options;
}

Role other(Role role) { return role == Role::Server ? Role::Client : Role::Server; }

FrameReading::Options reading_options(const Connection::Options& options, Role reader) {
  FrameReading::Options reading{.reader = reader, .max_message_bytes = kAnySize, .compression = {}};
  if (reader == options.role) reading.max_message_bytes = options.max_message_bytes;
  if (options.compression) {
    reading.compression =
        reader == Role::Server ? options.compression->client : options.compression->server;
  }
  return reading;
}

/// Makes the peer's bytes.
class PeerFrames {
 public:
  PeerFrames(FuzzedDataProvider& input, const Connection::Options& options)
      : input_(input), role_(other(options.role)) {
    if (options.compression) {
      deflater_.emplace(role_ == Role::Server ? options.compression->server
                                              : options.compression->client);
    }
  }

  std::string next() {
    switch (input_.ConsumeIntegralInRange(0, 9)) {
      case 0: return arbitrary_frame();
      case 1: return input_.ConsumeRandomLengthString(40);
      case 2: return close();
      case 3: return control(Opcode::Ping);
      case 4: return control(Opcode::Pong);
      default: return fragment();
    }
  }

 private:
  struct Header {
    bool final = true;
    unsigned reserved = 0;
    unsigned opcode = 0;
    bool masked = true;
    std::size_t length_bytes = 0;  // 0, 2 or 8
    std::uint64_t length = 0;
  };

  Header sound_header(Opcode opcode, std::size_t size) const {
    return {.final = true,
            .reserved = 0,
            .opcode = static_cast<unsigned>(opcode),
            .masked = role_ == Role::Client,
            .length_bytes = size > 0xFFFF ? 8U
                            : size > 125  ? 2U
                                          : 0U,
            .length = size};
  }

  std::string encode(const Header& header, std::string payload) {
    std::string frame;
    frame += static_cast<char>((header.final ? 0x80 : 0) | header.reserved << 4 | header.opcode);
    const std::uint64_t short_length = header.length_bytes == 0   ? header.length % 128
                                       : header.length_bytes == 2 ? 126U
                                                                  : 127U;
    frame += static_cast<char>((header.masked ? 0x80 : 0) | short_length);
    for (std::size_t i = header.length_bytes; i > 0; --i) {
      frame += static_cast<char>(header.length >> (8 * (i - 1)));
    }
    if (!header.masked) return frame + payload;
    const auto key = input_.ConsumeIntegral<std::uint32_t>();
    for (int i = 0; i < 4; ++i) frame += static_cast<char>(key >> (8 * i));
    for (std::size_t i = 0; i < payload.size(); ++i) {
      payload[i] = static_cast<char>(payload[i] ^ static_cast<char>(key >> (8 * (i % 4))));
    }
    return frame + payload;
  }

  /// The next frame of a sound message.
  std::string fragment() {
    const bool begins = !in_message_;
    if (begins) {
      opcode_ = input_.ConsumeBool() ? Opcode::Text : Opcode::Binary;
      compressed_ = deflater_ && input_.ConsumeBool();
      written_ = 0;
    }
    const bool final = input_.ConsumeIntegralInRange(0, 3) != 0;
    std::string payload = text_of(choose_size(input_), written_);
    written_ += payload.size();
    if (compressed_) {
      OutputBuffer out;
      deflater_->compress(as_bytes(payload), final, out);
      payload = as_text(out.pending());
    }
    Header header = sound_header(begins ? opcode_ : Opcode::Continuation, payload.size());
    header.final = final;
    header.reserved = begins && compressed_ ? 4 : 0;
    in_message_ = !final;
    return encode(header, std::move(payload));
  }

  std::string control(Opcode opcode) {
    std::string payload = text_of(input_.ConsumeIntegralInRange<std::size_t>(0, 125), 0);
    return encode(sound_header(opcode, payload.size()), std::move(payload));
  }

  std::string close() {
    constexpr std::uint16_t kCodes[] = {1000, 1001, 1002, 1003, 1004, 1005, 1006, 1007,
                                        1008, 1009, 1010, 1011, 1012, 1014, 1015, 1016,
                                        2999, 3000, 4999, 5000, 999,  0,    65535};
    std::string payload;
    if (input_.ConsumeIntegralInRange(0, 4) != 0) {
      const std::uint16_t code = input_.PickValueInArray(kCodes);
      payload = {static_cast<char>(code >> 8), static_cast<char>(code)};
      payload += text_of(input_.ConsumeIntegralInRange<std::size_t>(0, 123), 0);
    }
    if (input_.ConsumeIntegralInRange(0, 7) == 0) payload.resize(payload.size() / 2);
    return encode(sound_header(Opcode::Close, payload.size()), std::move(payload));
  }

  /// Any header, and a payload that may be of another length.
  std::string arbitrary_frame() {
    constexpr std::size_t kLengthBytes[] = {0, 2, 8};
    constexpr unsigned kReserved[] = {0, 0, 0, 1, 2, 4, 7};
    std::string payload = input_.ConsumeRandomLengthString(200);
    Header header = sound_header(Opcode::Binary, payload.size());
    header.final = input_.ConsumeBool();
    header.reserved = input_.PickValueInArray(kReserved);
    header.opcode = input_.ConsumeIntegralInRange(0U, 15U);
    if (input_.ConsumeIntegralInRange(0, 3) == 0) header.masked = !header.masked;
    if (input_.ConsumeIntegralInRange(0, 3) == 0) {
      header.length_bytes = input_.PickValueInArray(kLengthBytes);
    }
    if (input_.ConsumeIntegralInRange(0, 3) == 0)
      header.length = input_.ConsumeIntegral<std::uint64_t>();
    return encode(header, std::move(payload));
  }

  FuzzedDataProvider& input_;
  Role role_;
  std::optional<Deflater> deflater_;
  // The message under way, as a sound sender counts.
  bool in_message_ = false;
  bool compressed_ = false;
  Opcode opcode_ = Opcode::Binary;
  std::size_t written_ = 0;
};

class Session {
 public:
  explicit Session(FuzzedDataProvider& input)
      : input_(input),
        options_(choose_options(input)),
        frames_(input, options_),
        pipe_(loop_, {.capacity = kCapacity}),
        peer_(std::move(pipe_.client)),
        peer_sent_(input.ConsumeBool() ? frames_.next() : ""),
        connection_(loop_.executor(), std::move(pipe_.server), options_, clock_, random_,
                    peer_sent_) {}

  void run() {
    reading_.spawn("receive", receive());
    for (int step = 0; step < kMaxSteps && input_.remaining_bytes() > 0; ++step) {
      take_step();
      sluice::testing::run_until_idle(loop_);
    }
    deliver_the_rest();
    check_received();
    close();
    check_sent();
  }

 private:
  void take_step() {
    switch (input_.ConsumeIntegralInRange(0, 11)) {
      case 0: send(); break;
      case 1: connection_.ping(), ++pings_; break;
      case 2: clock_.advance(seconds(input_.ConsumeIntegralInRange(0, 100))); break;
      case 3: read_as_peer(); break;
      case 4: choose_fragment(); break;
      case 5: break_connection(); break;
      case 6: deliver(input_.ConsumeIntegralInRange<std::size_t>(0, under_way_.size())); break;
      default:
        under_way_ += frames_.next();
        deliver(input_.ConsumeBool() ? under_way_.size()
                                     : input_.ConsumeIntegralInRange<std::size_t>(0, 20));
    }
  }

  void choose_fragment() {
    constexpr std::size_t kFragments[] = {1, 2, 3, 13, 1'000, 100'000};
    fragment_ = input_.PickValueInArray(kFragments);
  }

  /// Much is not cut into the smallest pieces: that takes long and shows nothing more.
  void set_fragment(std::size_t of_size) {
    constexpr std::size_t kMaxPieces = 200;
    pipe_.set_options(
        {.capacity = kCapacity, .fragment = std::max(fragment_, of_size / kMaxPieces)});
  }

  void break_connection() {
    switch (input_.ConsumeIntegralInRange(0, 9)) {
      case 0:
        pipe_.reset();
        is_reset_ = true;
        break;
      case 1:
        peer_->shutdown_write();
        peer_ended_ = true;
        break;
      default: break;
    }
  }

  // --- what we receive ---

  net::Task<> receive() {
    while (true) {
      Result<Received> received = co_await connection_.receive();
      if (!take(std::move(received))) break;
    }
  }

  /// False: that was the end.
  bool take(Result<Received> received) {
    if (!received) {
      if (received.error().code == ErrorCode::Cancelled) return false;
      require(received.error().code == ErrorCode::InvalidArgument, "what receive() fails with");
      violation_ = connection_.violation().code;
      return false;
    }
    if (auto* close = std::get_if<Close>(&*received)) {
      close_ = std::move(*close);
      return false;
    }
    const MessagePiece& piece = std::get<MessagePiece>(*received);
    require(piece.starts_message == !in_message_, "a message starts once");
    if (piece.starts_message) partial_ = {piece.opcode, {}};
    require(piece.opcode == partial_.opcode, "a message is of one kind");
    partial_.payload += as_text(piece.payload);
    in_message_ = !piece.ends_message;
    if (piece.ends_message) received_.push_back(std::exchange(partial_, {}));
    return true;
  }

  void deliver(std::size_t size) {
    if (is_reset_ || peer_ended_) return;
    set_fragment(size);
    const auto count =
        peer_->try_write(as_bytes(under_way_).first(std::min(size, under_way_.size())));
    if (!count) return;
    peer_sent_ += under_way_.substr(0, *count);
    under_way_.erase(0, *count);
  }

  void deliver_the_rest() {
    fragment_ = kCapacity;
    while (!under_way_.empty() && reading_.size() > 0) {
      const std::size_t before = under_way_.size();
      deliver(under_way_.size());
      sluice::testing::run_until_idle(loop_);
      read_as_peer();
      if (under_way_.size() == before) break;
    }
    sluice::testing::run_until_idle(loop_);
  }

  void check_received() {
    const Reading reading = FrameReading(reading_options(options_, options_.role)).read(peer_sent_);
    if (is_reset_) {
      require(received_.size() <= reading.messages.size(), "no message that was not sent");
      require(std::equal(received_.begin(), received_.end(), reading.messages.begin()),
              "messages before a reset are those that were sent");
      return;
    }
    require(received_ == reading.messages, "messages are those that were sent");
    const std::string_view sent = reading.unfinished.payload;
    // How much of a compressed message is unfolded before it turns out broken depends on its cuts.
    const bool may_be_more = options_.compression && reading.violation;
    require(sent.starts_with(partial_.payload) ||
                (may_be_more && std::string_view(partial_.payload).starts_with(sent)),
            "pieces are what was sent");
    if (reading.close) {
      require(close_ == reading.close, "a Close is the one that was sent");
    } else if (reading.violation) {
      require(violation_.has_value(), "a broken rule is noticed");
      // A compressed message may be broken in more than one way.
      require(options_.compression || violation_ == reading.violation, "each rule has its code");
    } else {
      require(!violation_, "what breaks no rule is no violation");
      require(close_.has_value() == peer_ended_, "only the end is an end");
      require(partial_.payload == reading.unfinished.payload, "every byte is handed on");
    }
    check_nothing_follows();
  }

  void check_nothing_follows() {
    if (!violation_ && !close_) return;
    require(reading_.size() == 0, "the end ends the reading");
    const auto more = connection_.try_receive();
    const bool is_message = more && *more && std::holds_alternative<MessagePiece>(**more);
    require(!is_message, "nothing follows the end");
  }

  // --- what we send ---

  void send() {
    if (writing_.size() > 0) {
      if (input_.ConsumeBool()) return;
      writing_.cancel();
      sluice::testing::run_until_empty(loop_, writing_);
      if (cut_short_) return;
    }
    if (cut_short_) return;
    const bool begins = !sending_;
    if (begins) sent_.push_back({input_.ConsumeBool() ? Opcode::Text : Opcode::Binary, {}});
    ReadMessage& message = sent_.back();
    std::string part(choose_size(input_), 'x');
    const bool final = input_.ConsumeBool();
    message.payload += part;
    sending_ = !final;
    const Opcode opcode = begins ? message.opcode : Opcode::Continuation;
    if (input_.ConsumeBool()) {
      connection_.append(opcode, as_bytes(part), final);
    } else {
      writing_.spawn("send", write(opcode, std::move(part), final));
    }
  }

  net::Task<> write(Opcode opcode, std::string part, bool final) {
    const Result<> sent = co_await connection_.send(opcode, as_bytes(part), final);
    // What was not queued whole can't be continued (ws/connection.h).
    if (!sent) cut_short_ = true;
  }

  void read_as_peer() {
    set_fragment(kCapacity);
    std::array<std::byte, 4096> block;
    while (true) {
      const auto count = peer_->try_read(block);
      if (!count || count->value_or(0) == 0) return;
      peer_received_ += as_text(Bytes(block).first(**count));
      sluice::testing::run_until_idle(loop_);
    }
  }

  void close() {
    reading_.cancel();
    writing_.cancel();
    sluice::testing::run_until_empty(loop_, reading_);
    sluice::testing::run_until_empty(loop_, writing_);
    constexpr CloseCode kCodes[] = {CloseCode::Normal, CloseCode::GoingAway,
                                    CloseCode::PolicyViolation, CloseCode::NoStatus};
    our_close_ =
        violation_
            ? connection_.violation()
            : Close{
                  input_.PickValueInArray(kCodes),
                  text_of(input_.ConsumeIntegralInRange<std::size_t>(0, 12) * kPattern.size(), 0)};
    net::TaskGroup closing(loop_.executor());
    closing.spawn("close", connection_.close(our_close_, kPatience));
    sluice::testing::run_until_idle(loop_);
    read_as_peer();
    if (input_.ConsumeBool()) peer_->close();
    clock_.advance(kPatience);
    sluice::testing::run_until_idle(loop_);
    require(closing.size() == 0, "close() ends within its patience");
  }

  void check_sent() {
    const Reading reading =
        FrameReading(reading_options(options_, other(options_.role))).read(peer_received_);
    require(!reading.violation, "what we send breaks no rule");
    require(reading.messages.size() <= sent_.size(), "no message that we did not send");
    for (std::size_t i = 0; i < reading.messages.size(); ++i) {
      require(reading.messages[i] == sent_[i], "a message arrives as it was sent");
    }
    require(reading.pings.size() <= pings_, "no ping but ours");
    if (is_reset_ || connection_.is_lost()) return;
    require(reading.close.has_value(), "the peer is told the end");
    require(reading.close->code == our_close_.code, "the Close has its code");
    require(our_close_.code == CloseCode::NoStatus ||
                our_close_.reason.starts_with(reading.close->reason),
            "the Close has its reason");
    const std::size_t whole = sent_.size() - (sending_ || cut_short_ ? 1 : 0);
    require(reading.messages.size() >= whole, "every message arrives");
  }

  FuzzedDataProvider& input_;
  const Connection::Options options_;
  PeerFrames frames_;
  net::EventLoop loop_;
  sluice::testing::VirtualClock clock_{loop_};
  sluice::testing::SeededRandom random_;
  sluice::testing::MemoryPipe pipe_;
  std::unique_ptr<net::Stream> peer_;
  std::string under_way_;  // the peer has made it and not sent it yet
  std::string peer_sent_;
  std::string peer_received_;
  Connection connection_;

  std::vector<ReadMessage> received_;
  ReadMessage partial_;
  bool in_message_ = false;
  std::optional<CloseCode> violation_;
  std::optional<Close> close_;
  std::size_t fragment_ = kCapacity;
  bool is_reset_ = false;
  bool peer_ended_ = false;

  std::vector<ReadMessage> sent_;
  bool sending_ = false;    // the last one goes on
  bool cut_short_ = false;  // it can't
  std::size_t pings_ = 0;
  Close our_close_;
  net::TaskGroup reading_{loop_.executor()};
  net::TaskGroup writing_{loop_.executor()};
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  FuzzedDataProvider input(data, size);
  Session(input).run();
  return 0;
}
