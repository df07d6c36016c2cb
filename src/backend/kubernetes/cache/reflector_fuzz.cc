// A watched collection while everything goes wrong that a server and a network can do: watches cut
// within an event, ended, forgotten, gone silent, with lines that are none; lists that fail between
// their pages. Once that stops, the reflector's sink holds what the server does.
#include <fuzzer/FuzzedDataProvider.h>

#include <deque>
#include <map>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "backend/kubernetes/cache/reflector.h"
#include "base/text.h"
#include "testing/fake_api_server.h"
#include "testing/require.h"
#include "testing/seeded_random.h"
#include "testing/test_loop.h"
#include "testing/virtual_clock.h"

namespace {

using namespace sluice;
using namespace sluice::backend::kubernetes;
using sluice::testing::ApiAnswer;
using sluice::testing::require;

const std::string kPath = "/api/v1/things";
constexpr int kMaxSteps = 80;

using Objects = std::map<std::string, std::int64_t>;  // name -> version

/// Keeps what a sink must.
class ObjectsSink final : public ObjectSink {
 public:
  void begin_list() override { unseen_ = objects; }
  void end_list() override {
    for (const auto& [name, version] : unseen_) objects.erase(name);
  }
  void upsert(const json::object& object) override {
    const std::string name = read_meta(object).name;
    objects[name] = parse_int64(read_resource_version(object)).value_or(-1);
    unseen_.erase(name);
  }
  void remove(const json::object& object) override { objects.erase(read_meta(object).name); }
  void report(WatchState changed, std::string) override { state = changed; }

  Objects objects;
  WatchState state = WatchState::Starting;

 private:
  Objects unseen_;
};

std::string object_text(const std::string& name, std::int64_t version) {
  return fmt::format(R"({{"metadata":{{"name":"{}","resourceVersion":"{}"}}}})", name, version);
}

std::string event_text(std::string_view type, const std::string& name, std::int64_t version) {
  return fmt::format("{{\"type\":\"{}\",\"object\":{}}}\n", type, object_text(name, version));
}

std::string bookmark_text(std::int64_t version) {
  return fmt::format(
      "{{\"type\":\"BOOKMARK\",\"object\":{{\"metadata\":{{\"resourceVersion\":\"{}\"}}}}}}\n",
      version);
}

std::string end_of_list_text(std::int64_t version) {
  return fmt::format(
      "{{\"type\":\"BOOKMARK\",\"object\":{{\"metadata\":{{\"resourceVersion\":\"{}\","
      "\"annotations\":{{\"k8s.io/initial-events-end\":\"true\"}}}}}}}}\n",
      version);
}

std::string value_in(std::string_view query, std::string_view name) {
  const std::size_t begin = query.find(name);
  if (begin == query.npos) return {};
  const std::string_view value = query.substr(begin + name.size());
  return std::string(value.substr(0, value.find('&')));
}

/// An API server's side of one collection. Its history reaches back as far as it remembers.
class Collection {
 public:
  explicit Collection(FuzzedDataProvider& input)
      : streams_lists_(input.ConsumeBool()),
        page_size_(input.ConsumeIntegralInRange<std::size_t>(1, 5)) {}

  const Objects& objects() const { return objects_; }

  void change(const std::string& name, bool remove) {
    const bool exists = objects_.contains(name);
    if (remove && !exists) return;
    ++version_;
    const std::string event = event_text(remove   ? "DELETED"
                                         : exists ? "MODIFIED"
                                                  : "ADDED",
                                         name, version_);
    if (remove) {
      objects_.erase(name);
    } else {
      objects_[name] = version_;
    }
    history_.emplace_back(version_, event);
    say(event);
  }

  void forget() {
    oldest_ = version_;
    history_.clear();
  }

  void bookmark() { say(bookmark_text(version_)); }
  /// Adds to what the watch's client is to get.
  void say(const std::string& text) {
    if (watch_) unsent_ += text;
  }
  void deliver(std::size_t size) {
    if (!watch_ || unsent_.empty() || size == 0) return;
    watch_->write(unsent_.substr(0, size));
    unsent_.erase(0, size);
  }
  void end_watch(bool in_order) {
    if (!watch_) return;
    if (in_order) watch_->end();
    watch_->cut();
    watch_.reset();
  }

  /// The next requests get these instead.
  void fail_next(ApiAnswer answer) { faults_.push_back(std::move(answer)); }
  void mend() { faults_.clear(); }
  /// Bytes that the watch's client has yet to get.
  std::size_t unsent() const { return unsent_.size(); }

  ApiAnswer answer(const std::string& query) {
    if (!faults_.empty()) {
      ApiAnswer fault = std::move(faults_.front());
      faults_.pop_front();
      return fault;
    }
    if (!query.contains("watch=true")) return list(value_in(query, "continue="));
    if (query.contains("sendInitialEvents")) return stream_list();
    return watch_from(parse_int64(value_in(query, "resourceVersion=")).value_or(0));
  }

 private:
  static ApiAnswer status(unsigned code) {
    return http::Response{{code, {}}, fmt::format(R"({{"kind":"Status","code":{}}})", code)};
  }

  /// Pages show one version, as long as it is remembered.
  ApiAnswer list(const std::string& continuation) {
    if (continuation.empty()) listed_ = {objects_.begin(), objects_.end()}, listed_at_ = version_;
    if (listed_at_ < oldest_) return status(410);
    const auto begin = static_cast<std::size_t>(parse_int64(continuation).value_or(0));
    const std::size_t end = std::min(begin + page_size_, listed_.size());
    std::string items;
    for (std::size_t i = begin; i < end; ++i) {
      items += (items.empty() ? "" : ",") + object_text(listed_[i].first, listed_[i].second);
    }
    const std::string next = end < listed_.size() ? std::to_string(end) : "";
    return http::Response{
        {200, {}},
        fmt::format(R"({{"metadata":{{"resourceVersion":"{}","continue":"{}"}},"items":[{}]}})",
                    listed_at_, next, items)};
  }

  ApiAnswer stream_list() {
    if (!streams_lists_) return status(422);
    ApiAnswer answer = begin_watch();
    for (const auto& [name, version] : objects_) say(event_text("ADDED", name, version));
    say(end_of_list_text(version_));
    return answer;
  }

  ApiAnswer watch_from(std::int64_t version) {
    if (version < oldest_) return status(410);
    ApiAnswer answer = begin_watch();
    for (const auto& [at, event] : history_) {
      if (at > version) say(event);
    }
    return answer;
  }

  ApiAnswer begin_watch() {
    watch_ = std::make_shared<sluice::testing::FakeBody>();
    unsent_.clear();
    return watch_;
  }

  bool streams_lists_;
  std::size_t page_size_;
  Objects objects_;
  std::vector<std::pair<std::string, std::int64_t>> listed_;
  std::int64_t listed_at_ = 0;
  std::int64_t version_ = 1;
  std::int64_t oldest_ = 0;
  std::vector<std::pair<std::int64_t, std::string>> history_;
  std::shared_ptr<sluice::testing::FakeBody> watch_;  // the latest
  std::string unsent_;
  std::deque<ApiAnswer> faults_;
};

class Simulation {
 public:
  explicit Simulation(FuzzedDataProvider& input) : input_(input), collection_(input) {
    server_.on(kPath, [this](const sluice::testing::ApiCall& call) {
      return collection_.answer(call.query);
    });
  }

  void run() {
    tasks_.spawn("reflector", reflector_.run());
    for (int step = 0; step < kMaxSteps && input_.remaining_bytes() > 0; ++step) {
      take_step();
      sluice::testing::run_until_idle(loop_);
    }
    collection_.mend();
    constexpr int kRounds = 30;
    for (int round = 0; round < kRounds; ++round) {
      collection_.deliver(collection_.unsent());
      clock_.advance(seconds(10));
    }
    require(sink_.objects == collection_.objects(), "the sink holds what the server does");
    require(sink_.state == WatchState::Current, "it knows that it does");
    tasks_.cancel();
    sluice::testing::run_until_empty(loop_, tasks_);
  }

 private:
  void take_step() {
    switch (input_.ConsumeIntegralInRange(0, 15)) {
      case 0: collection_.end_watch(false); break;
      case 1: collection_.end_watch(true); break;
      case 2: collection_.forget(); break;
      case 3: collection_.bookmark(); break;
      case 4: collection_.say(choose_trouble()); break;
      case 5: clock_.advance(seconds(input_.ConsumeIntegralInRange(0, 700))); break;
      case 6: collection_.fail_next(choose_fault()); break;
      case 7: server_.set_fragment(input_.ConsumeIntegralInRange<std::size_t>(1, 200)); break;
      case 8: server_.break_connections(); break;
      case 9: collection_.deliver(input_.ConsumeIntegralInRange<std::size_t>(1, 150)); break;
      case 10: collection_.deliver(collection_.unsent()); break;
      default:
        collection_.change(
            std::string(1, static_cast<char>('a' + input_.ConsumeIntegralInRange(0, 7))),
            input_.ConsumeIntegralInRange(0, 2) == 0);
    }
  }

  std::string choose_trouble() {
    constexpr const char* kLines[] = {
        "nonsense\n",
        "\n",
        "{\"type\":\"NEW\",\"object\":{}}\n",
        "{\"type\":\"ADDED\"}\n",
        "{\"type\":\"ERROR\",\"object\":{\"code\":410}}\n",
        "{\"type\":\"ERROR\",\"object\":{\"code\":500,\"message\":\"etcd\"}}\n",
        "{\"type\":\"ERROR\",\"object\":{}}\n"};
    return input_.PickValueInArray(kLines);
  }

  ApiAnswer choose_fault() {
    constexpr unsigned kStatuses[] = {400, 403, 410, 422, 429, 500, 503};
    constexpr const char* kBodies[] = {"{}", "", "[]", "{\"metadata\":{}}", "{\"items\":[1,2"};
    switch (input_.ConsumeIntegralInRange(0, 3)) {
      case 0: return sluice::testing::Silence::Hang;
      case 1: return sluice::testing::Silence::HangUp;
      case 2: return http::Response{{200, {}}, input_.PickValueInArray(kBodies)};
      default: return http::Response{{input_.PickValueInArray(kStatuses), {}}, "{}"};
    }
  }

  FuzzedDataProvider& input_;
  net::EventLoop loop_;
  sluice::testing::VirtualClock clock_{loop_};
  sluice::testing::SeededRandom random_{1};
  Collection collection_;
  sluice::testing::FakeApiServer server_{loop_, clock_, random_};
  sluice::testing::FakeClusterAccess access_{server_};
  ApiClient client_{access_, clock_, random_};
  ObjectsSink sink_;
  Reflector reflector_{client_, kPath, ObjectForm::Whole, sink_, clock_, random_};
  net::TaskGroup tasks_{loop_.executor()};
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  FuzzedDataProvider input(data, size);
  Simulation(input).run();
  return 0;
}
