#include "cli/terminal/output_format.h"

#include <cassert>

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
    text += std::string(name) + ":";
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
