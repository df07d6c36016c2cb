#include "cli/terminal/output_format.h"

#include <algorithm>
#include <array>
#include <cassert>

#include "base/text.h"

namespace sluice::cli {
namespace {

bool is_empty(const json::value& value) {
  return (value.is_object() && value.get_object().empty()) ||
         (value.is_array() && value.get_array().empty());
}

/// `{}` and `[]` are scalars here.
bool is_scalar(const json::value& value) { return !value.is_structured() || is_empty(value); }

void write_json(const json::value& value, std::size_t indent, std::string& text) {
  if (is_scalar(value)) {
    text += json::serialize(value);
    return;
  }
  const bool is_object = value.is_object();
  const std::string margin(indent + 2, ' ');
  const char* separator = "\n";
  text += is_object ? '{' : '[';
  const auto write_item = [&](const json::value& item) {
    write_json(item, indent + 2, text);
    separator = ",\n";
  };
  if (is_object) {
    for (const auto& [name, member] : value.get_object()) {
      text += separator + margin + json::serialize(json::value(name)) + ": ";
      write_item(member);
    }
  } else {
    for (const json::value& item : value.get_array()) {
      text += separator + margin;
      write_item(item);
    }
  }
  text += "\n" + std::string(indent, ' ') + (is_object ? '}' : ']');
}

/// As it is where YAML takes it for nothing else than that text; JSON's strings are YAML's.
std::string yaml_key(std::string_view name) {
  constexpr std::array kOtherThings{"null", "true", "false", "yes", "no", "on", "off", "y", "n"};
  const auto is_plain = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '-' || c == '.' || c == '/';
  };
  const bool begins_plain =
      !name.empty() && ((name[0] >= 'a' && name[0] <= 'z') || (name[0] >= 'A' && name[0] <= 'Z'));
  const bool is_other = std::ranges::any_of(
      kOtherThings, [&](const char* word) { return equals_ignore_case(name, word); });
  if (begins_plain && !is_other && std::ranges::all_of(name, is_plain)) return std::string(name);
  return json::serialize(json::value(std::string(name)));
}

/// The first line begins where the cursor stands, the others at `indent`. JSON's scalars are
/// YAML's.
void write_yaml(const json::value& value, std::size_t indent, std::string& text) {
  if (is_scalar(value)) {
    text += json::serialize(value) + "\n";
    return;
  }
  bool is_first = true;
  const auto begin_line = [&] {
    if (!is_first) text.append(indent, ' ');
    is_first = false;
  };
  if (value.is_array()) {
    for (const json::value& item : value.get_array()) {
      begin_line();
      text += "- ";
      write_yaml(item, indent + 2, text);
    }
    return;
  }
  for (const auto& [name, member] : value.get_object()) {
    begin_line();
    text += yaml_key(name) + ":";
    const bool is_plain = is_scalar(member);
    const std::size_t deeper = indent + (member.is_object() ? 2 : 0);
    text += is_plain ? " " : "\n" + std::string(deeper, ' ');
    write_yaml(member, deeper, text);
  }
}

}  // namespace

std::string to_pretty_json(const json::value& value) {
  std::string text;
  write_json(value, 0, text);
  return text + "\n";
}

std::string to_yaml(const json::value& value) {
  std::string text;
  write_yaml(value, 0, text);
  return text;
}

std::string format_as(OutputFormat format, const json::value& value) {
  assert(format != OutputFormat::Table);
  return format == OutputFormat::Json ? to_pretty_json(value) : to_yaml(value);
}

}  // namespace sluice::cli
