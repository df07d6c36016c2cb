// A table for people: columns as wide as their widest cell.
#pragma once

#include <string>
#include <vector>

namespace sluice::cli {

class Table {
 public:
  explicit Table(std::vector<std::string> header);
  /// As many cells as the header has; each is made printable.
  void add(std::vector<std::string> row);
  /// Header and rows; nothing pads a line's end.
  std::string text() const;
  /// The line of one more row, for a table that is shown already: its columns only grow wider.
  std::string add_line(std::vector<std::string> row);

 private:
  void widen(const std::vector<std::string>& row);
  std::string line_of(const std::vector<std::string>& row) const;

  std::vector<std::vector<std::string>> rows_;
  std::vector<std::size_t> widths_;
};

}  // namespace sluice::cli
