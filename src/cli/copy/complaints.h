// Complaints: what could not be done with parts of something, the rest having been done.
#pragma once

#include <algorithm>
#include <cstddef>
#include <string>
#include <vector>

namespace sluice::cli {

class Complaints {
 public:
  static constexpr std::size_t kMaxKept = 20;

  /// It may have come from elsewhere: nothing in it can change what a terminal shows.
  void add(std::string text) {
    constexpr unsigned char kFirstPrintable = 0x20;
    constexpr unsigned char kDelete = 0x7f;
    std::ranges::replace_if(
        text, [](unsigned char one) { return one < kFirstPrintable || one == kDelete; }, '?');
    if (kept_.size() < kMaxKept) kept_.push_back(std::move(text));
    ++count_;
  }
  bool empty() const { return count_ == 0; }
  /// The first of them.
  const std::vector<std::string>& kept() const { return kept_; }
  std::size_t count() const { return count_; }

 private:
  std::vector<std::string> kept_;
  std::size_t count_ = 0;
};

}  // namespace sluice::cli
