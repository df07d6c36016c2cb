#include "testing/transcript.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <filesystem>

#include "base/bytes.h"
#include "base/file.h"
#include "testing/test_loop.h"

namespace sluice::testing {
namespace {

using Kind = TranscriptLine::Kind;

std::optional<char> parse_hex(std::string_view digits) {
  unsigned value = 0;
  const auto [end, error] = std::from_chars(digits.begin(), digits.end(), value, 16);
  if (digits.size() != 2 || error != std::errc() || end != digits.end()) return std::nullopt;
  return static_cast<char>(value);
}

/// Takes one escape, without its backslash, off the front of `text`.
bool unescape_one(std::string_view& text, std::string& bytes) {
  const char kind = text.empty() ? '\0' : text.front();
  if (kind == 'x') {
    const auto byte = parse_hex(text.substr(1, 2));
    if (!byte) return false;
    bytes += *byte;
    text.remove_prefix(3);
    return true;
  }
  if (kind == '{') {
    const auto star = text.find('*');
    const auto close = text.find('}');
    const auto byte = parse_hex(text.substr(1, 2));
    if (star != 3 || close == std::string_view::npos || !byte) return false;
    std::size_t count = 0;
    std::from_chars(text.begin() + 4, text.begin() + close, count);
    bytes.append(count, *byte);
    text.remove_prefix(close + 1);
    return true;
  }
  constexpr std::string_view kNames = "0rnts\\";
  constexpr std::string_view kBytes("\0\r\n\t \\", 6);
  const auto at = kNames.find(kind);
  if (text.empty() || at == std::string_view::npos) return false;
  bytes += kBytes[at];
  text.remove_prefix(1);
  return true;
}

std::optional<std::string> unescape(std::string_view text) {
  std::string bytes;
  while (!text.empty()) {
    const char next = text.front();
    text.remove_prefix(1);
    if (next != '\\') {
      bytes += next;
    } else if (!unescape_one(text, bytes)) {
      return std::nullopt;
    }
  }
  return bytes;
}

std::string escape(std::string_view bytes) {
  std::string text;
  for (const char byte : bytes.substr(0, 200)) {
    if (byte >= ' ' && byte <= '~') {
      text += byte;
    } else {
      constexpr std::string_view kDigits = "0123456789abcdef";
      const auto value = static_cast<unsigned char>(byte);
      text += {'\\', 'x', kDigits[value >> 4], kDigits[value & 15]};
    }
  }
  return text;
}

std::string read_available(net::EventLoop& loop, net::Stream& stream, bool& ended) {
  std::string all;
  std::array<std::byte, 4096> buffer;
  while (true) {
    run_until_idle(loop);
    const auto count = stream.try_read(buffer);
    ended = ended || !count || (*count && **count == 0);
    if (ended || !*count) return all;
    all += as_text(std::span(buffer).first(**count));
  }
}

}  // namespace

Result<Transcript> parse_transcript(std::string_view text) {
  Transcript transcript;
  int number = 0;
  while (!text.empty()) {
    ++number;
    const auto end = std::min(text.find('\n'), text.size());
    std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    line = line.substr(0, line.find_last_not_of(" \t\r") + 1);
    if (line.empty() || line.front() == '#') continue;
    if (line == "S-END") {
      transcript.push_back({Kind::ServerEnd, {}, number});
      continue;
    }
    const bool client = line.starts_with("C: ");
    auto bytes = client || line.starts_with("S: ") ? unescape(line.substr(3)) : std::nullopt;
    if (!bytes) {
      return fail(ErrorCode::InvalidArgument,
                  "line " + std::to_string(number) + " is no C:, S: or S-END");
    }
    transcript.push_back({client ? Kind::Client : Kind::Server, std::move(*bytes), number});
  }
  return transcript;
}

Result<std::vector<std::pair<std::string, Transcript>>> read_transcripts(
    const std::string& folder) {
  std::vector<std::string> paths;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(folder, error)) {
    if (entry.path().extension() == ".txt") paths.push_back(entry.path().string());
  }
  if (paths.empty()) return fail(ErrorCode::NotFound, folder + " has no transcripts");
  std::ranges::sort(paths);
  std::vector<std::pair<std::string, Transcript>> transcripts;
  for (const std::string& path : paths) {
    TRY(const std::string text, read_file(path, 1_MiB));
    auto transcript = parse_transcript(text);
    if (!transcript) {
      return fail(ErrorCode::InvalidArgument, path + ": " + transcript.error().message);
    }
    transcripts.emplace_back(path, std::move(*transcript));
  }
  return transcripts;
}

std::string play(net::EventLoop& loop, net::Stream& client, const Transcript& transcript,
                 std::size_t fragment) {
  std::string received;
  bool ended = false;
  for (const TranscriptLine& line : transcript) {
    const std::string where = "line " + std::to_string(line.number) + ": ";
    for (std::string_view rest = line.bytes; line.kind == Kind::Client && !rest.empty();) {
      const auto count = client.try_write(as_bytes(rest.substr(0, fragment)));
      if (!count) break;  // it ended before it had read everything: what it said comes next
      rest.remove_prefix(*count);
      received += read_available(loop, client, ended);
    }
    if (line.kind == Kind::Client) continue;
    received += read_available(loop, client, ended);
    if (line.kind == Kind::ServerEnd) {
      if (!received.empty()) return where + "expected the end, got " + escape(received);
      if (!ended) return where + "expected the end, but the stream is open";
      continue;
    }
    if (!received.starts_with(line.bytes)) {
      return where + "expected " + escape(line.bytes) + " got " + escape(received);
    }
    received.erase(0, line.bytes.size());
  }
  return received.empty() ? "" : "after the last line it sent " + escape(received);
}

}  // namespace sluice::testing
