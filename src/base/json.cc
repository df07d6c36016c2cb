#include "base/json.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include <boost/json/basic_parser_impl.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value_stack.hpp>
#include <fmt/format.h>

#include "base/text.h"

namespace sluice::json {
namespace {

using boost::json::error_code;
using boost::json::string_view;

/// Builds the value, as boost::json::parser does, and refuses what that one accepts: a member name
/// that comes twice in an object (the last would win, and others would have read the first).
class Builder {
 public:
  static constexpr std::size_t max_object_size = boost::json::object::max_size();
  static constexpr std::size_t max_array_size = boost::json::array::max_size();
  static constexpr std::size_t max_key_size = boost::json::string::max_size();
  static constexpr std::size_t max_string_size = boost::json::string::max_size();

  Builder() { stack_.reset(); }

  value release() { return stack_.release(); }
  const std::optional<std::string>& duplicate() const { return duplicate_; }

  bool on_document_begin(error_code&) { return true; }
  bool on_document_end(error_code&) { return true; }
  bool on_object_begin(error_code&) { return true; }
  bool on_object_end(std::size_t count, error_code& error) {
    const auto first = names_.end() - static_cast<std::ptrdiff_t>(count);
    std::sort(first, names_.end());
    if (const auto twice = std::adjacent_find(first, names_.end()); twice != names_.end()) {
      duplicate_ = *twice;
      error = boost::json::error::syntax;
      return false;
    }
    names_.erase(first, names_.end());
    stack_.push_object(count);
    return true;
  }
  bool on_array_begin(error_code&) { return true; }
  bool on_array_end(std::size_t count, error_code&) {
    stack_.push_array(count);
    return true;
  }
  bool on_key_part(string_view part, std::size_t, error_code&) {
    name_.append(part.data(), part.size());
    stack_.push_chars(part);
    return true;
  }
  bool on_key(string_view part, std::size_t, error_code&) {
    names_.push_back(std::move(name_.append(part.data(), part.size())));
    name_.clear();
    stack_.push_key(part);
    return true;
  }
  bool on_string_part(string_view part, std::size_t, error_code&) {
    stack_.push_chars(part);
    return true;
  }
  bool on_string(string_view part, std::size_t, error_code&) {
    stack_.push_string(part);
    return true;
  }
  bool on_number_part(string_view, error_code&) { return true; }
  bool on_int64(std::int64_t number, string_view, error_code&) {
    stack_.push_int64(number);
    return true;
  }
  bool on_uint64(std::uint64_t number, string_view, error_code&) {
    stack_.push_uint64(number);
    return true;
  }
  bool on_double(double number, string_view, error_code& error) {
    if (!std::isfinite(number)) error = boost::json::error::exponent_overflow;
    if (error) return false;
    stack_.push_double(number);
    return true;
  }
  bool on_bool(bool truth, error_code&) {
    stack_.push_bool(truth);
    return true;
  }
  bool on_null(error_code&) {
    stack_.push_null();
    return true;
  }
  bool on_comment_part(string_view, error_code&) { return true; }
  bool on_comment(string_view, error_code&) { return true; }

 private:
  boost::json::value_stack stack_;
  std::string name_;
  std::vector<std::string> names_;  // of all objects that are open, outermost first
  std::optional<std::string> duplicate_;
};

/// What Boost leaves as it is: C1 controls and DEL act on terminals, U+2028 ends a line of
/// JavaScript, and bytes that aren't UTF-8 make the whole document unreadable.
void append_escaped(std::string& out, std::string_view sequence) {
  if (sequence == "\x7f") {
    out += "\\u007f";
  } else if (sequence.size() == 2 && sequence[0] == '\xc2' && sequence[1] < '\xa0') {
    fmt::format_to(std::back_inserter(out), "\\u{:04x}", static_cast<unsigned char>(sequence[1]));
  } else if (sequence == "\u2028" || sequence == "\u2029") {
    out += sequence == "\u2028" ? "\\u2028" : "\\u2029";
  } else {
    out += sequence;
  }
}

/// How many bytes at the start need no look.
std::size_t plain_prefix(std::string_view text) {
  const auto end = std::ranges::find_if(text, [](char c) { return c < 0 || c == '\x7f'; });
  return static_cast<std::size_t>(end - text.begin());
}

}  // namespace

Result<value> parse(std::string_view text, std::size_t max_depth) {
  boost::json::parse_options options;
  options.max_depth = max_depth;
  boost::json::basic_parser<Builder> parser(options);
  error_code error;
  const std::size_t consumed = parser.write_some(false, text.data(), text.size(), error);
  if (const auto& name = parser.handler().duplicate()) {
    return fail(ErrorCode::InvalidArgument,
                fmt::format("not valid JSON: member \"{}\" comes twice in an object", *name));
  }
  if (!error && consumed < text.size()) error = boost::json::error::extra_data;
  if (error) {
    return fail(ErrorCode::InvalidArgument,
                fmt::format("not valid JSON at byte {}: {}", consumed, error.message()));
  }
  return parser.handler().release();
}

std::string serialize(const value& value) {
  const std::string raw = boost::json::serialize(value);
  std::string text;
  text.reserve(raw.size());
  for (std::string_view rest = raw; !rest.empty();) {
    const std::size_t plain = plain_prefix(rest);
    text += rest.substr(0, plain);
    rest.remove_prefix(plain);
    if (rest.empty()) break;
    const std::size_t length = utf8_sequence_length(rest);
    if (length == 0) text += "\ufffd";
    append_escaped(text, rest.substr(0, length));
    rest.remove_prefix(std::max<std::size_t>(length, 1));
  }
  return text;
}

const value* find(const object& object, std::string_view name) {
  return object.if_contains(string_view(name.data(), name.size()));
}

std::optional<std::string_view> find_string(const object& object, std::string_view name) {
  const value* member = find(object, name);
  if (member == nullptr || !member->is_string()) return std::nullopt;
  const boost::json::string& text = member->get_string();
  return std::string_view(text.data(), text.size());
}

const array* find_array(const object& object, std::string_view name) {
  const value* member = find(object, name);
  return member == nullptr ? nullptr : member->if_array();
}

const json::object* find_object(const json::object& object, std::string_view name) {
  const value* member = find(object, name);
  return member == nullptr ? nullptr : member->if_object();
}

std::optional<std::int64_t> find_int64(const object& object, std::string_view name) {
  const value* member = find(object, name);
  if (member == nullptr) return std::nullopt;
  if (member->is_int64()) return member->get_int64();
  // A uint64 is only there beyond int64. Doubles: exact up to 2^63, which itself doesn't fit.
  if (!member->is_double()) return std::nullopt;
  const double number = member->get_double();
  if (std::trunc(number) != number || number < -0x1p63 || number >= 0x1p63) return std::nullopt;
  return static_cast<std::int64_t>(number);
}

std::string text_of(const object& object, std::string_view name) {
  return std::string(find_string(object, name).value_or(""));
}

const json::object& object_of(const json::object& object, std::string_view name) {
  static const json::object kEmpty;
  const json::object* member = find_object(object, name);
  return member != nullptr ? *member : kEmpty;
}

const array& list_of(const object& object, std::string_view name) {
  static const array kEmpty;
  const array* member = find_array(object, name);
  return member != nullptr ? *member : kEmpty;
}

bool flag_of(const object& object, std::string_view name) {
  const value* member = find(object, name);
  return member != nullptr && member->is_bool() && member->get_bool();
}

}  // namespace sluice::json
