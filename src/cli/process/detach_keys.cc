#include "cli/process/detach_keys.h"

#include <optional>

#include <fmt/format.h>

#include "base/text.h"

namespace sluice::cli {
namespace {

std::optional<char> parse_key(std::string_view name) {
  constexpr std::string_view kControl = "ctrl-";
  if (name.size() == 1) return name.front();
  if (!name.starts_with(kControl) || name.size() != kControl.size() + 1) return std::nullopt;
  const char key = name.back();
  if (key >= 'a' && key <= 'z') return static_cast<char>(key - 'a' + 1);
  if (key >= '@' && key <= '_') return static_cast<char>(key - '@');
  return std::nullopt;
}

}  // namespace

Result<DetachKeys> DetachKeys::parse(std::string_view text) {
  DetachKeys parsed;
  if (text.empty()) return parsed;
  for (const std::string_view name : split(text, ',')) {
    const auto key = parse_key(name);
    if (!key) {
      return fail(ErrorCode::InvalidArgument,
                  fmt::format("detach keys: \"{}\" is none; expected such as ctrl-p,ctrl-q", name));
    }
    parsed.keys_ += *key;
  }
  return parsed;
}

DetachKeys::Typed DetachKeys::feed(Bytes typed) {
  Typed out;
  for (const char key : as_text(typed)) {
    if (keys_.empty()) {
      out.bytes += key;
      continue;
    }
    if (key != keys_[matched_]) {
      out.bytes += keys_.substr(0, matched_);
      matched_ = 0;
    }
    if (key == keys_[matched_]) {
      ++matched_;
    } else {
      out.bytes += key;
    }
    if (matched_ == keys_.size()) {
      out.detach = true;
      return out;
    }
  }
  return out;
}

}  // namespace sluice::cli
