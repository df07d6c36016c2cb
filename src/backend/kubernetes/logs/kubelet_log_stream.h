// KubeletLogStream: a container's log by the files that its node's kubelet serves: at the speed of
// files, and back to the oldest that is there. It stays with the run that it was opened on; a
// follow asks for what was added, again and again, and goes on at the very byte, through rotation
// (LogCursor). While it waits it holds no buffer but the line under way.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "backend/kubernetes/cache/outage.h"
#include "backend/kubernetes/cache/pod_watch.h"
#include "backend/kubernetes/logs/kubelet_log_start.h"
#include "backend/kubernetes/logs/log_cursor.h"
#include "backend/kubernetes/logs/log_file_body.h"
#include "backend/kubernetes/logs/pod_log.h"
#include "loglines/reader.h"

namespace sluice::backend::kubernetes {

class KubeletLogStream final : public LogStream {
 public:
  /// How long it waits before it asks for more, while lines come and while none do.
  static constexpr nanoseconds kBusyInterval = milliseconds(100);
  static constexpr nanoseconds kIdleInterval = seconds(1);
  /// A rotated file may still grow for a moment: the runtime writes out what it holds.
  static constexpr nanoseconds kSettling = milliseconds(250);

  /// On the calling loop, `pod` too. `services.client` is the kubelet's; `start` is what
  /// find_kubelet_log() found by it.
  KubeletLogStream(LogServices services, std::unique_ptr<PodWatch> pod, std::string container,
                   const LogOptions& options, KubeletLogStart start);
  ~KubeletLogStream() override;

  net::Task<Result<>> readable() override;
  Result<std::span<const LogPiece>> read() override;
  std::optional<StreamEnd> end() const override { return kind_of(end_); }
  std::string_view end_reason() const override { return reason_of(end_); }

 private:
  using Files = std::vector<LogFile>;

  RunState run_state() { return run_.state(pod_->current().get()); }
  bool has_news() const;
  bool run_is_over() const;

  std::span<char> take_block();
  std::size_t receive(MutableBytes into);
  void conclude();

  net::Task<Result<>> resume();
  net::Task<Result<>> request();
  net::Task<Result<Files>> list();
  net::Task<Result<>> check_identity();
  net::Task<Result<>> end_body();
  net::Task<Result<>> end_file();
  net::Task<Result<>> find_file(bool is_other);
  Result<> lost();
  net::Task<Result<>> sleep(nanoseconds duration);
  Result<> failed(const Error& error);
  void slow_down();
  void finish();

  LogServices services_;
  std::unique_ptr<PodWatch> pod_;
  const std::string container_;
  const bool follow_;
  const bool previous_;
  ContainerRun run_;
  const int restart_;         // the run
  const std::string folder_;  // path of the container's files
  const bool begins_whole_;   // at the log's beginning: what is removed until then isn't missed
  loglines::Reader reader_;

  LogCursor cursor_;
  std::size_t files_left_;                  // not following: this one and those behind it
  std::unique_ptr<LogFileBody> body_;       // null: to be asked for
  bool body_is_ready_ = false;              // there may be something to receive of it
  bool body_is_over_ = false;               // it has been received to its end
  bool body_has_news_ = false;              // it had more than what was read before
  bool is_mistaken_ = false;                // it was another file's
  std::optional<Error> body_failure_;       // instead of its end
  bool has_received_ = false;               // anything at all
  bool is_settled_ = false;                 // the rotated file
  bool is_doubted_ = false;                 // it seemed to be lost when it was last looked for
  RunState asked_at_ = RunState::NotBegun;  // the last request
  nanoseconds pause_{};                     // before the next request
  nanoseconds interval_ = kBusyInterval;
  Outage failing_;
  Outage denied_;  // the permission, by the last answers

  std::vector<char> rest_;   // received and not yet read: mostly the beginning of a line
  bool has_unread_ = false;  // there may be whole lines in it

  std::optional<EndOfLog> coming_end_;  // set once nothing more comes
  std::optional<EndOfLog> end_;         // set once everything has been read
};

}  // namespace sluice::backend::kubernetes
