// What Reader and TailFinder should yield, said in the plainest way: for tests and fuzzing only.
// Works on whole logs, in memory, a line at a time.
#pragma once

#include <array>
#include <string>
#include <utility>
#include <vector>

#include "base/text.h"
#include "loglines/reader.h"

namespace sluice::loglines {

/// The lines that are sent, each with its '\n' if it has one. Lines of at most
/// Reader::kMaxLineBytes.
inline std::vector<std::string> reference_lines(std::string_view log,
                                                const ReaderOptions& options) {
  struct Open {
    std::string text;
    bool begun = false;
    bool dropped = false;
  };
  std::array<Open, kChannels> open;
  std::vector<std::string> lines;
  bool last_dropped = false;
  const auto take = [&](std::string_view record, bool has_end) {
    const Record parsed = parse_record(options.format, record);
    Open& line = open[index(parsed.channel)];
    if (!line.begun) {
      line.begun = true;
      const bool fixed = is_fixed_stamp(parsed.stamp);
      const auto time = fixed ? std::nullopt : time_of(parsed.stamp);
      const std::string stamp = time ? format_rfc3339_nano(*time) : std::string(parsed.stamp);
      if (options.since && !stamp.empty()) {
        last_dropped = stamp < format_rfc3339_nano(*options.since);
      }
      line.dropped = last_dropped;
      if (options.timestamps == Timestamps::Keep && !stamp.empty()) line.text = stamp + " ";
    }
    line.text += record.substr(parsed.text_offset);
    if (!has_end || parsed.tag == Tag::Partial) return;
    if (!line.dropped) lines.push_back(line.text + "\n");
    line = {};
  };
  while (!log.empty()) {
    const std::size_t newline = log.find('\n');
    take(log.substr(0, newline), newline != std::string_view::npos);
    if (newline == std::string_view::npos) break;
    log.remove_prefix(newline + 1);
  }
  for (const Open& line : open) {
    if (line.begun && !line.dropped && !line.text.empty()) lines.push_back(line.text);
  }
  if (!options.limit_bytes) return lines;
  std::vector<std::string> cut;
  std::uint64_t left = *options.limit_bytes;
  for (std::string& line : lines) {
    if (left == 0) break;
    line.resize(std::min<std::size_t>(line.size(), static_cast<std::size_t>(left)));
    left -= line.size();
    cut.push_back(std::move(line));
  }
  return cut;
}

/// The lines that Reader yields when the log comes in blocks of at most `block_bytes`, with room
/// for `room` pieces, as a caller that reads a file feeds it.
inline std::vector<std::string> read_lines(std::string_view log, const ReaderOptions& options,
                                           std::size_t block_bytes, std::size_t room) {
  Reader reader(options);
  std::vector<Piece> pieces(room);
  std::vector<std::string> lines;
  std::string line;
  const auto keep = [&](std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) {
      line += pieces[i].text;
      if (pieces[i].ends_line) lines.push_back(std::exchange(line, {}));
    }
  };
  std::string block;
  std::size_t offered = block_bytes;
  while (!log.empty()) {
    block = log.substr(0, offered);
    const Reader::Progress progress = reader.feed(block, pieces);
    keep(progress.pieces);
    log.remove_prefix(progress.consumed);
    if (progress.consumed > 0 || progress.pieces > 0) {
      offered = block_bytes;
    } else if (offered >= log.size()) {
      break;
    } else {
      offered += block_bytes;
    }
  }
  block = log;
  std::span<char> rest(block);
  for (;;) {
    const Reader::Progress progress = reader.finish(rest, pieces);
    keep(progress.pieces);
    rest = rest.subspan(progress.consumed);
    if (progress.pieces == 0) return lines;
  }
}

}  // namespace sluice::loglines
