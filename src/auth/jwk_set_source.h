// Where an issuer's keys come from: a file, a URL, or OpenID Connect discovery; and keeping them
// fresh. It lives on one loop, the home loop; the keys that it publishes are immutable and go
// anywhere.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "auth/config.h"
#include "auth/json_web_key.h"
#include "net/task_group.h"
#include "net/timers.h"

namespace sluice::auth {

/// Gets the body of a URL. Ends by itself within some seconds and bounds the body; runs on the loop
/// that it is called on. Errors: any; the message is logged.
using Fetch = std::function<net::Task<Result<std::string>>(std::string url)>;

/// Errors: NotFound, Unavailable, TooLarge (of the file), InvalidArgument (of its content), naming
/// it.
Result<JwkSet> read_jwk_set_file(const std::string& path);

class JwkSetSource final {
 public:
  /// The owners of a key set: the loops that verify with it.
  using Publish = std::function<void(std::shared_ptr<const JwkSet> keys)>;

  enum class Need {
    AnyKeys,       // there are none yet
    UnknownKeyId,  // a token names a key that isn't among them: perhaps it is new
  };

  /// `publish` is called on the home loop whenever the keys have changed.
  JwkSetSource(const IssuerConfig& issuer, nanoseconds refresh, net::Executor home,
               net::Timers& timers, Fetch fetch, Publish publish);

  /// Starts to load, refresh, and watch: URLs every `refresh`, after a failure in 1 s doubling to
  /// 30 s; a file as soon as it changes, looked at every second. What can't be loaded leaves the
  /// old in force.
  void start();
  /// Ends that, and answers whoever asked. Once; then destruction is allowed.
  net::Task<> stop();

  /// Calls `answered` when a load, if one makes sense now, has ended; what it found has been
  /// published by then. All who ask while one runs share it. An unknown key id makes one sense once
  /// a minute.
  void ask(Need need, std::move_only_function<void()> answered);

 private:
  net::Task<> keep_fresh();
  net::Task<Result<>> load();
  net::Task<Result<std::string>> fetch_jwk_set();
  Result<> load_file();
  Result<> adopt(std::string text);
  nanoseconds delay_after(const Result<>& loaded);
  net::Task<> ring_in(nanoseconds delay);
  void answer_all();

  const IssuerConfig issuer_;
  const nanoseconds refresh_;
  net::Timers& timers_;
  const Fetch fetch_;
  const Publish publish_;
  net::TaskGroup tasks_;
  net::TaskGroup alarms_;
  net::Event due_;
  bool running_ = false;
  bool loading_ = false;
  bool has_keys_ = false;
  std::string text_;           // that the keys in force were made from
  std::string file_identity_;  // of the file when it was last read, well or not
  nanoseconds backoff_{};
  std::optional<MonotonicTime> asked_for_key_id_at_;
  std::vector<std::move_only_function<void()>> waiting_;
};

}  // namespace sluice::auth
