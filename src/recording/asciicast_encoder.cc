#include "recording/asciicast_encoder.h"

#include <utility>

namespace sluice::recording {
namespace {

EventType type_of(Stream stream) {
  return stream == Stream::Input ? EventType::Input : EventType::Output;
}

}  // namespace

void AsciicastEncoder::add_bytes(nanoseconds time, Stream stream, std::string_view bytes,
                                 std::string& lines) {
  text_.clear();
  joiner_of(stream).append(bytes, text_);
  if (!text_.empty()) append_event(lines, time, type_of(stream), text_);
}

void AsciicastEncoder::add_text(nanoseconds time, EventType type, std::string_view text,
                                std::string& lines) {
  append_event(lines, time, type, text);
}

void AsciicastEncoder::finish(nanoseconds time, std::string& lines) {
  for (const Stream stream : {Stream::Stdout, Stream::Stderr, Stream::Input}) {
    text_.clear();
    joiner_of(stream).finish(text_);
    if (!text_.empty()) append_event(lines, time, type_of(stream), text_);
  }
}

Utf8Joiner& AsciicastEncoder::joiner_of(Stream stream) {
  switch (stream) {
    case Stream::Stdout: return stdout_;
    case Stream::Stderr: return stderr_;
    case Stream::Input: return input_;
  }
  std::unreachable();
}

}  // namespace sluice::recording
