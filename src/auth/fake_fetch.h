// A web of a few URLs, for tests of who fetches keys: says what was fetched, answers when it is
// told to.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "auth/jwk_set_source.h"
#include "net/event.h"
#include "net/event_loop.h"

namespace sluice::auth {

class FakeFetch {
 public:
  explicit FakeFetch(net::EventLoop& loop) : gate_(loop.executor()) {}

  /// What make_token_verifier() takes. The FakeFetch outlives it.
  Fetch fetch() {
    return [this](std::string url) { return get(std::move(url)); };
  }
  /// What a URL answers from now on; any other is unreachable.
  void serve(const std::string& url, std::string body) { bodies_[url] = std::move(body); }
  void remove(const std::string& url) { bodies_.erase(url); }
  /// Fetches wait until release().
  void hold() { held_ = true; }
  void release() {
    held_ = false;
    gate_.notify();
  }
  std::size_t count() const { return fetched_.size(); }
  const std::vector<std::string>& fetched() const { return fetched_; }

 private:
  net::Task<Result<std::string>> get(std::string url) {
    fetched_.push_back(url);
    while (held_) {
      CO_TRY_VOID(co_await gate_.wait());
    }
    const auto body = bodies_.find(url);
    if (body == bodies_.end()) co_return fail(ErrorCode::Unavailable, "connection refused");
    co_return body->second;
  }

  std::map<std::string, std::string> bodies_;
  std::vector<std::string> fetched_;
  net::Event gate_;
  bool held_ = false;
};

}  // namespace sluice::auth
