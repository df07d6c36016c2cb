#include "cli/terminal/table.h"

#include <algorithm>
#include <cassert>

#include "cli/terminal/printable.h"

namespace sluice::cli {
namespace {

/// Characters, as long as each takes one cell.
std::size_t width_of(const std::string& text) {
  return static_cast<std::size_t>(
      std::ranges::count_if(text, [](char c) { return (c & 0xC0) != 0x80; }));
}

}  // namespace

Table::Table(std::vector<std::string> header) : widths_(header.size()) {
  widen(header);
  rows_.push_back(std::move(header));
}

void Table::add(std::vector<std::string> row) {
  for (std::string& cell : row) cell = printable(cell);
  widen(row);
  rows_.push_back(std::move(row));
}

std::string Table::text() const {
  std::string text;
  for (const auto& row : rows_) text += line_of(row);
  return text;
}

std::string Table::add_line(std::vector<std::string> row) {
  for (std::string& cell : row) cell = printable(cell);
  widen(row);
  return line_of(row);
}

void Table::widen(const std::vector<std::string>& row) {
  assert(row.size() == widths_.size());
  for (std::size_t i = 0; i < row.size(); ++i) widths_[i] = std::max(widths_[i], width_of(row[i]));
}

std::string Table::line_of(const std::vector<std::string>& row) const {
  constexpr std::size_t kGap = 3;
  std::string line;
  for (std::size_t i = 0; i < row.size(); ++i) {
    line += row[i];
    line.append(widths_[i] - width_of(row[i]) + kGap, ' ');
  }
  line.erase(line.find_last_not_of(' ') + 1);
  return line + '\n';
}

}  // namespace sluice::cli
