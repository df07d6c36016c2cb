// Upgraded: what is left of an HTTP connection after a 101: it speaks another protocol now.
#pragma once

#include <memory>
#include <string>

#include "net/stream.h"

namespace sluice::http {

/// A stream given away, with what was read behind the head.
struct Upgraded {
  std::unique_ptr<net::Stream> stream;
  std::string leftover;
};

}  // namespace sluice::http
