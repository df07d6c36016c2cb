#include "backend/kubernetes/api/impersonation.h"

#include <algorithm>

namespace sluice::backend::kubernetes {
namespace {

bool is_lower_token_char(char c) {
  const bool alphanumeric = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
  return alphanumeric || std::string_view("!#$&'*+-.^_`|~").contains(c);
}

/// A key as the end of a field's name: in lower case, as the API server makes it, and what a name
/// can't hold percent-encoded ('%' itself, too).
std::string encode_key(std::string_view key) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text;
  for (char c : key) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    if (is_lower_token_char(c)) {
      text += c;
    } else {
      const auto byte = static_cast<unsigned char>(c);
      text += '%';
      text += kDigits[byte >> 4];
      text += kDigits[byte & 0xF];
    }
  }
  return text;
}

bool survives_as_value(std::string_view value) {
  const auto is_control = [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; };
  return !value.empty() && value.front() != ' ' && value.back() != ' ' &&
         std::ranges::none_of(value, is_control);
}

Result<> add(http::FieldMap& fields, std::string name, const std::string& value) {
  if (!survives_as_value(value)) {
    return fail(ErrorCode::InvalidArgument,
                "the caller's identity can't be passed on to the cluster",
                "a name, group or extra is empty, has a control character, or a space at its end");
  }
  fields.add(std::move(name), value);
  return {};
}

}  // namespace

Result<> add_impersonation(http::FieldMap& fields, const Impersonation& as) {
  TRY_VOID(add(fields, "Impersonate-User", as.user));
  if (!as.uid.empty()) TRY_VOID(add(fields, "Impersonate-Uid", as.uid));
  for (const std::string& group : as.groups) {
    TRY_VOID(add(fields, "Impersonate-Group", group));
  }
  for (const auto& [key, value] : as.extras) {
    TRY_VOID(add(fields, "Impersonate-Extra-" + encode_key(key), value));
  }
  return {};
}

}  // namespace sluice::backend::kubernetes
