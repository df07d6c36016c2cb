// Sha256 (FIPS 180-4), as bytes pass by.
#pragma once

#include <memory>
#include <string>

#include "base/bytes.h"

namespace sluice::cli {

class Sha256 {
 public:
  Sha256();
  ~Sha256();
  Sha256(Sha256&&) noexcept;
  Sha256& operator=(Sha256&&) noexcept;

  void add(Bytes bytes);
  /// Of all that was added, as sha256sum writes it. Once.
  std::string hex();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace sluice::cli
