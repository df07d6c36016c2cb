#include "ws/field_list.h"

#include <algorithm>

#include "base/text.h"

namespace sluice::ws {

std::vector<std::string_view> split_unquoted(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  std::size_t start = 0;
  bool quoted = false;
  for (std::size_t i = 0; i <= text.size(); ++i) {
    if (i < text.size() && quoted && text[i] == '\\') {
      ++i;
    } else if (i < text.size() && text[i] == '"') {
      quoted = !quoted;
    } else if (i >= text.size() || (text[i] == separator && !quoted)) {
      const std::string_view part = trim(text.substr(start, i - start));
      if (!part.empty()) parts.push_back(part);
      start = std::min(i + 1, text.size());
    }
  }
  return parts;
}

std::vector<std::string_view> list_elements(const FieldValues& values) {
  std::vector<std::string_view> elements;
  for (const std::string_view value : values) {
    for (const std::string_view part : split_unquoted(value, ',')) elements.push_back(part);
  }
  return elements;
}

bool has_token(const FieldValues& values, std::string_view token) {
  return std::ranges::any_of(list_elements(values), [token](std::string_view element) {
    return equals_ignore_case(element, token);
  });
}

}  // namespace sluice::ws
