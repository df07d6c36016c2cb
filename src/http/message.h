// RFC 9110/9112 messages as values. Field names compare without case; a head that got here is well
// formed.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace sluice::http {

struct Field {
  std::string name;
  std::string value;
};

/// Fields in order of arrival; a name may occur several times.
class FieldMap {
 public:
  void add(std::string name, std::string value);
  /// The first field of that name.
  std::optional<std::string_view> find(std::string_view name) const;
  std::vector<std::string_view> find_all(std::string_view name) const;
  /// Whether a comma-separated list field (Connection, Upgrade) has this token, in any of its
  /// lines.
  bool has_token(std::string_view name, std::string_view token) const;

  auto begin() const { return fields_.begin(); }
  auto end() const { return fields_.end(); }

 private:
  std::vector<Field> fields_;
};

struct RequestHead {
  std::string method;
  std::string path;   // raw, still percent-encoded; always begins with '/'
  std::string query;  // raw, without '?'
  FieldMap fields;
  int minor_version = 1;  // of HTTP/1.x: 0 or 1
  bool keep_alive = true;
};

struct ResponseHead {
  unsigned status = 200;
  FieldMap fields;
};

/// A whole small response. Content-Length is added when it is sent.
struct Response {
  ResponseHead head;
  std::string body;
};

/// Appends "Name: value" and the line's end. The value can't end its line, whatever it was made
/// from.
void append_field(std::string& text, std::string_view name, std::string_view value);

/// "Not Found" for 404 (RFC 9110 15); empty for an unknown code.
std::string_view reason_phrase(unsigned status);

}  // namespace sluice::http
