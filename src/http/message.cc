#include "http/message.h"

#include <algorithm>

#include "base/text.h"

namespace sluice::http {
namespace {

bool list_has(std::string_view list, std::string_view token) {
  return std::ranges::any_of(split(list, ','), [token](std::string_view element) {
    return equals_ignore_case(trim(element), token);
  });
}

}  // namespace

void FieldMap::add(std::string name, std::string value) {
  fields_.push_back({std::move(name), std::move(value)});
}

std::optional<std::string_view> FieldMap::find(std::string_view name) const {
  for (const Field& field : fields_) {
    if (equals_ignore_case(field.name, name)) return field.value;
  }
  return std::nullopt;
}

std::vector<std::string_view> FieldMap::find_all(std::string_view name) const {
  std::vector<std::string_view> values;
  for (const Field& field : fields_) {
    if (equals_ignore_case(field.name, name)) values.push_back(field.value);
  }
  return values;
}

bool FieldMap::has_token(std::string_view name, std::string_view token) const {
  return std::ranges::any_of(fields_, [&](const Field& field) {
    return equals_ignore_case(field.name, name) && list_has(field.value, token);
  });
}

void append_field(std::string& text, std::string_view name, std::string_view value) {
  text.append(name).append(": ");
  for (const char c : value) text += static_cast<unsigned char>(c) < 0x20 ? ' ' : c;
  text += "\r\n";
}

std::string_view reason_phrase(unsigned status) {
  switch (status) {
    case 100: return "Continue";
    case 101: return "Switching Protocols";
    case 200: return "OK";
    case 204: return "No Content";
    case 400: return "Bad Request";
    case 401: return "Unauthorized";
    case 403: return "Forbidden";
    case 404: return "Not Found";
    case 405: return "Method Not Allowed";
    case 409: return "Conflict";
    case 413: return "Content Too Large";
    case 426: return "Upgrade Required";
    case 429: return "Too Many Requests";
    case 431: return "Request Header Fields Too Large";
    case 500: return "Internal Server Error";
    case 503: return "Service Unavailable";
    default: return "";
  }
}

}  // namespace sluice::http
