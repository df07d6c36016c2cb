// ApiLogStream: a container's log by the API server's pods/log. It stays with the run that it was
// opened on, goes on after cuts without losing or repeating a line, and says so when lines are
// lost. Between reads it holds no more than the line under way.
//
// A follow that the API server ends in order says nothing of the container: a lost kubelet looks
// the same. So the pod's record decides, and when the run has ended its log is read to its end.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "backend/kubernetes/cache/outage.h"
#include "backend/kubernetes/cache/pod_watch.h"
#include "backend/kubernetes/logs/pod_log.h"
#include "base/backoff.h"
#include "loglines/reader.h"
#include "loglines/resume.h"
#include "net/task_group.h"

namespace sluice::backend::kubernetes {

/// On the calling loop, `pod` too. A container that has not begun yet has an empty log, or is
/// waited for. Errors: NotFound (no such container, no previous run), Conflict (the node has no log
/// of it), PermissionDenied, Unavailable, Cancelled.
net::Task<Result<std::unique_ptr<LogStream>>> open_api_log(LogServices services,
                                                           std::unique_ptr<PodWatch> pod,
                                                           std::string container,
                                                           LogOptions options,
                                                           std::optional<Impersonation> as);

class ApiLogStream final : public LogStream {
 public:
  /// How long a stream may be silent once its run is over, before it is taken for stuck. A session
  /// whose pod was deleted is to end within 2 s.
  static constexpr nanoseconds kMaxSilence = seconds(1);
  /// How long the pod's record may lag behind the log.
  static constexpr nanoseconds kRecordPatience = seconds(5);
  /// For so long a node may say instead of lines that it can't read them: its container runtime may
  /// be starting again.
  static constexpr nanoseconds kFailurePatience = seconds(30);
  /// A follow that is silent for so long is checked on, and from then on each time after twice as
  /// long, until much was logged. Kubelets look only every 10 s whether to rotate a log: until then
  /// one that is stalled has lost nothing.
  static constexpr nanoseconds kFirstCheck = seconds(5);
  static constexpr nanoseconds kMaxCheckInterval = std::chrono::minutes(5);
  static constexpr std::size_t kMuchBytes = 64_KiB;

  ApiLogStream(LogServices services, net::Executor executor, std::unique_ptr<PodWatch> pod,
               std::string container, const LogOptions& options, std::optional<Impersonation> as);
  ~ApiLogStream() override;

  /// The first request. Errors: as open_api_log().
  net::Task<Result<>> open();

  net::Task<Result<>> readable() override;
  Result<std::span<const LogPiece>> read() override;
  std::optional<StreamEnd> end() const override { return kind_of(end_); }
  std::string_view end_reason() const override { return reason_of(end_); }

 private:
  using Reading = loglines::Resume::Reading;
  using BodyEnd = loglines::Resume::BodyEnd;

  RunState run_state() { return run_.state(pod_->current().get()); }
  bool has_news() const { return ready_ > 0 || coming_end_ || reader_.limit_reached(); }

  net::Task<Result<>> receive();
  net::Task<Result<Bytes>> read_body();
  net::Task<> read_into(Result<Bytes>& bytes, net::TaskGroup& race);
  net::Task<> end_silence(Result<>& silence, net::TaskGroup& race);
  net::Task<Result<>> outlast_silence();
  bool may_be_silent();
  net::Task<Result<bool>> check_is_stalled();
  net::Task<Result<std::optional<WallTime>>> newest_line_time(ApiRequest request);
  bool lags_behind(std::optional<WallTime> newest);
  void examine();
  void end_body(BodyEnd end);

  net::Task<Result<>> resume();
  net::Task<Result<>> pause();
  void note_failure(const Error& error);
  bool may_mend() const;
  net::Task<Result<>> await_reason();
  Result<> plan(RunState state);
  net::Task<Result<>> request(RunState state);
  Result<> refused(const Error& error);
  void finish();
  void drop_body();

  LogServices services_;
  net::Executor executor_;
  std::unique_ptr<PodWatch> pod_;
  const std::string container_;
  const bool follow_;
  const bool previous_;
  std::optional<Impersonation> as_;
  ContainerRun run_;
  loglines::Resume resume_;
  loglines::Reader reader_;

  std::unique_ptr<ApiStream> stream_;  // null: to be resumed, or over
  Reading reading_;
  std::vector<char> buffer_;  // received: what was read already, what is ready, the line under way
  std::size_t offset_ = 0;    // of what is ready
  std::size_t ready_ = 0;

  nanoseconds check_interval_ = kFirstCheck;
  std::size_t unchecked_bytes_ = 0;
  std::optional<WallTime> stalled_before_;  // a line that no other body brought either

  Backoff backoff_;
  bool pauses_ = false;  // before it resumes
  BodyEnd last_end_ = BodyEnd::Orderly;
  std::optional<Error> failure_;            // unless the run's end explains it
  Outage failing_;                          // with nothing new in between
  RunState asked_at_ = RunState::NotBegun;  // the last request
  Outage refused_;
  Outage denied_;  // the permission, by the last answers

  std::optional<EndOfLog> coming_end_;  // set once nothing more comes
  std::optional<EndOfLog> end_;         // set once everything has been read
};

}  // namespace sluice::backend::kubernetes
