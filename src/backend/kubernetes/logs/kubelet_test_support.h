// FakeKubelet: a kubelet's file server, whose files a test writes, rotates, compresses and removes;
// and KubeletLogTest, whose session reads them. Time is virtual.
#pragma once

#include <map>
#include <memory>
#include <string>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "backend/kubernetes/api/api_client_test_support.h"
#include "backend/kubernetes/logs/gunzip_test_support.h"
#include "backend/kubernetes/logs/kubelet_log_start.h"
#include "backend/kubernetes/logs/kubelet_log_stream.h"
#include "backend/kubernetes/logs/log_stream_test_support.h"
#include "base/text.h"

namespace sluice::backend::kubernetes {

inline const std::string kLogFolder = "/logs/pods/team_train-0_u1/main/";

/// The records of texts(first, last): a nanosecond apart.
inline std::string log_records(int first, int last) {
  std::string text;
  for (int n = first; n <= last; ++n) {
    text += fmt::format("2026-01-02T03:04:05.{:09}Z stdout F line {}\n", n, n);
  }
  return text;
}

class FakeKubelet {
 public:
  explicit FakeKubelet(testing::FakeApiServer& server) : server_(server) {
    server_.on(kLogFolder, [this](const testing::ApiCall&) { return listing(); });
  }

  std::string& file(const std::string& name) {
    server_.on(kLogFolder + name,
               [this, name](const testing::ApiCall& call) { return serve(name, call); });
    return files_[name];
  }
  void remove(const std::string& name) { files_.erase(name); }
  void remove_all() { files_.clear(); }

  /// As kubelets do it: removes all but so many rotated files, compresses those, renames the
  /// current one, and the runtime begins another.
  void rotate(std::size_t kept = 100) {
    std::vector<std::string> rotated;
    for (const auto& [name, text] : files_) {
      if (name != "0.log") rotated.push_back(name);
    }
    for (std::size_t i = 0; i < rotated.size(); ++i) {
      if (rotated.size() - i > kept) {
        remove(rotated[i]);
      } else if (!rotated[i].ends_with(".gz")) {
        compress(rotated[i]);
      }
    }
    const std::string name = fmt::format("0.log.20260102-{:06}", ++rotations_);
    file(name) = std::exchange(file("0.log"), "");
  }
  void compress(const std::string& name) {
    file(name + ".gz") = gzip(files_.at(name));
    remove(name);
  }

  unsigned listing_status = 200;
  unsigned file_status = 200;
  bool is_quiet = false;  // its headers say that nothing is written to any file
  int requests = 0;       // for files

 private:
  http::Response listing() const {
    std::string body;
    for (const auto& [name, text] : files_) body += "<a href=\"" + name + "\">" + name + "</a>\n";
    return {{listing_status, {}}, body};
  }

  testing::ApiAnswer serve(const std::string& name, const testing::ApiCall& call) {
    ++requests;
    const auto found = files_.find(name);
    if (file_status != 200) return http::Response{{file_status, {}}, "Forbidden"};
    if (found == files_.end()) return http::Response{{404, {}}, "404 page not found\n"};
    const std::string& text = found->second;
    http::Response response{{200, {}}, text};
    const auto wanted = call.fields.find("Range");
    if (wanted && !text.empty()) {
      const auto [begin, size] = part_of(wanted->substr(6), text.size());
      if (begin >= text.size()) return http::Response{{416, {}}, "invalid range"};
      response = {{206, {}}, text.substr(begin, size)};
      response.head.fields.add(
          "Content-Range",
          fmt::format("bytes {}-{}/{}", begin, begin + response.body.size() - 1, text.size()));
    }
    if (is_quiet) {
      response.head.fields.add("Date", "Fri, 02 Jan 2026 03:04:07 GMT");
      response.head.fields.add("Last-Modified", "Fri, 02 Jan 2026 03:04:05 GMT");
    }
    return response;
  }

  /// Of "100-199", "100-" and "-100".
  static std::pair<std::size_t, std::size_t> part_of(std::string_view range, std::size_t size) {
    const std::size_t dash = range.find('-');
    const auto first = parse_int64(range.substr(0, dash));
    const auto last = parse_int64(range.substr(dash + 1));
    if (!first) {
      const auto count = std::min(static_cast<std::size_t>(*last), size);
      return {size - count, count};
    }
    const auto begin = static_cast<std::size_t>(*first);
    return {begin, last ? static_cast<std::size_t>(*last) + 1 - begin : std::string::npos};
  }

  testing::FakeApiServer& server_;
  std::map<std::string, std::string> files_;
  int rotations_ = 0;
};

class KubeletLogTest : public ApiClientFixture {
 protected:
  KubeletLogTest() { kubelet_.file("0.log") = log_records(0, 3); }
  ~KubeletLogTest() override { close(); }

  void publish() {
    registry_.publish("u1", std::make_shared<const PodRecord>(pod_));
    testing::run_until_idle(loop_);
  }
  void publish_ended() {
    pod_.containers.front().state = ContainerState::Terminated;
    publish();
  }
  void open(LogOptions options) {
    out_.clear();
    reason_.clear();
    error_.reset();
    auto watch = registry_.watch(std::make_shared<const PodRecord>(pod_), loop_.executor());
    group_ = std::make_unique<net::TaskGroup>(loop_.executor());
    group_->spawn("session", session(std::move(watch), options));
    testing::run_until_idle(loop_);
  }
  void close() {
    if (!group_) return;
    group_->cancel();
    testing::run_until_empty(loop_, *group_);
    testing::run_until_idle(loop_);
    group_.reset();
  }
  /// All that a one-shot read gives.
  std::string read(LogOptions options) {
    open(options);
    close();
    return error_ ? "" : out_;
  }
  void wait(nanoseconds duration = seconds(3)) { clock_.advance(duration); }

  net::Task<> session(std::unique_ptr<PodWatch> watch, LogOptions options) {
    std::shared_ptr<const PodRecord> record = watch->current();
    std::string container = "main";
    auto start =
        co_await find_kubelet_log(client_, std::move(record), std::move(container), options);
    if (!start) {
      error_ = start.error();
      co_return;
    }
    const LogServices services{client_, clock_, random_};
    KubeletLogStream log(services, std::move(watch), "main", options, *std::move(start));
    while (!log.end()) {
      const Result<> ready = co_await log.readable();
      const auto pieces = ready ? log.read() : fail(ready.error());
      if (!pieces) {
        error_ = pieces.error();
        co_return;
      }
      for (const LogPiece& piece : *pieces) out_ += piece.text;
    }
    reason_ = log.end_reason();
  }

  FakeKubelet kubelet_{server_};
  PodWatchRegistry registry_;
  PodRecord pod_ = running_pod();
  std::unique_ptr<net::TaskGroup> group_;

  std::string out_;
  std::optional<Error> error_;
  std::string reason_;
};

}  // namespace sluice::backend::kubernetes
