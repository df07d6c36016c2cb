// What execve(2) and posix_spawn(3) take, of texts.
#pragma once

#include <string>
#include <vector>

namespace sluice::net {

/// Our own environment, as "NAME=value". While no other thread changes it.
std::vector<std::string> own_environment();

/// Valid while the texts are; null at the end. The calls change nothing of them.
std::vector<char*> pointers_to(const std::vector<std::string>& texts);

}  // namespace sluice::net
