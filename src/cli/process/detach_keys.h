// DetachKeys: the keys that leave an attached terminal without ending what runs there, ctrl-p
// ctrl-q as Docker has them. Keys in, keys out.
#pragma once

#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/result.h"

namespace sluice::cli {

class DetachKeys {
 public:
  /// "ctrl-p,ctrl-q": letters, or ctrl- with a letter or one of @[\]^_; empty: none.
  /// Errors: InvalidArgument.
  static Result<DetachKeys> parse(std::string_view text);

  struct Typed {
    std::string bytes;  // what is to be passed on
    bool detach = false;
  };
  /// A beginning of the keys is held back until it is clear that they are not meant.
  Typed feed(Bytes typed);

 private:
  std::string keys_;
  std::size_t matched_ = 0;
};

}  // namespace sluice::cli
