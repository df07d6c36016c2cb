// KubeletLogStream: a container's log by the files that its node's kubelet serves: at the speed of
// files, and back to the oldest rotated file that isn't compressed. It stays with the run that it
// was opened on; a follow asks for what was added, again and again, and goes on at the very byte,
// through rotation (LogCursor).
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "backend/kubernetes/log_cursor.h"
#include "backend/kubernetes/pod_log.h"
#include "backend/kubernetes/pod_watch.h"

namespace sluice::backend::kubernetes {

/// On the calling loop, `pod` too. `services.client` is the kubelet's. Errors: NotFound (the
/// kubelet has no files of it), PermissionDenied, Unavailable (the kubelet does not answer),
/// Cancelled. After none of them has anything been read.
net::Task<Result<std::unique_ptr<LogStream>>> open_kubelet_log(LogServices services,
                                                               std::unique_ptr<PodWatch> pod,
                                                               std::string container,
                                                               LogOptions options);

class KubeletLogStream final : public LogStream {
 public:
  /// How long it waits before it asks for more, while lines come and while none do.
  static constexpr nanoseconds kBusyInterval = milliseconds(100);
  static constexpr nanoseconds kIdleInterval = seconds(1);
  /// A rotated file may still grow for a moment: the runtime writes out what it holds.
  static constexpr nanoseconds kSettling = milliseconds(250);

  KubeletLogStream(LogServices services, std::unique_ptr<PodWatch> pod, std::string container,
                   const LogOptions& options);
  ~KubeletLogStream() override;

  /// Finds the files, and where to begin. Errors: as open_kubelet_log().
  net::Task<Result<>> open();

  net::Task<Result<>> readable() override;
  Result<std::span<const LogPiece>> read() override;
  std::optional<StreamEnd> end() const override { return end_; }
  std::string_view end_reason() const override { return end_reason_; }

 private:
  using Files = std::vector<LogFile>;

  RunState run_state() { return run_.state(pod_->current().get()); }
  bool has_news() const;
  bool run_is_over() const;

  net::Task<Result<Files>> list();
  net::Task<Result<>> resume();
  net::Task<Result<>> request();
  net::Task<Result<bool>> is_still_there();
  net::Task<Result<>> receive();
  Result<> keep(std::string_view bytes);
  net::Task<Result<>> end_body();
  net::Task<Result<>> end_file();
  net::Task<Result<>> find_file(bool is_other);
  net::Task<Result<>> sleep(nanoseconds duration);
  Result<> failed(const Error& error);
  void finish();

  LogServices services_;
  std::unique_ptr<PodWatch> pod_;
  const std::string container_;
  const bool follow_;
  const bool previous_;
  ContainerRun run_;
  int restart_ = 0;
  std::string folder_;  // path of the container's files
  loglines::Reader reader_;

  std::optional<LogCursor> cursor_;  // set by open()
  std::size_t files_left_ = 0;       // not following: this one and those behind it
  std::unique_ptr<ApiStream> body_;  // null: to be asked for
  bool body_has_news_ = false;
  bool is_mistaken_ = false;                // the body was another file's
  bool is_settled_ = false;                 // the rotated file
  RunState asked_at_ = RunState::NotBegun;  // the last request
  nanoseconds pause_{};                     // before the next request
  nanoseconds interval_ = kBusyInterval;
  std::optional<MonotonicTime> failing_since_;

  std::vector<char> buffer_;  // received and not yet read
  std::size_t offset_ = 0;    // what was read already
  bool has_unread_ = false;   // more than the line under way

  const char* reason_ = nullptr;  // set once nothing more comes
  std::optional<StreamEnd> end_;
  std::string_view end_reason_;
};

}  // namespace sluice::backend::kubernetes
