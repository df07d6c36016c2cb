#include "backend/kubernetes/logs/kubelet_log_start.h"

#include <algorithm>

#include <fmt/format.h>

#include "backend/kubernetes/logs/log_file_body.h"
#include "base/text.h"
#include "http/status.h"
#include "loglines/tail_finder.h"
#include "loglines/time_search.h"

namespace sluice::backend::kubernetes {
namespace {

using loglines::TailFinder;
using loglines::TimeSearch;

constexpr std::size_t kFirstBlockBytes = 16_KiB;  // most tails are short
constexpr std::size_t kBlockBytes = 256_KiB;
constexpr std::size_t kHeaderBytes = 256;        // more than stands before a record's text
constexpr std::size_t kCompressedBytes = 4_KiB;  // that hold as much
constexpr int kMaxAttempts = 4;

/// A part of a file, and how long that is.
struct FilePart {
  std::string text;
  std::uint64_t file_bytes = 0;
};

/// "bytes 0-99/1234" (RFC 9110 14.4).
std::optional<std::uint64_t> size_in(std::string_view content_range) {
  const auto size = parse_int64(content_range.substr(content_range.find('/') + 1));
  return size && *size >= 0 ? std::optional<std::uint64_t>(*size) : std::nullopt;
}

std::string range(std::uint64_t begin, std::uint64_t size) {
  return fmt::format("bytes={}-{}", begin, begin + size - 1);
}

/// Looks into the files of one run, all of which are taken to stay what they are.
class Search final {
 public:
  Search(ApiClient& kubelet, KubeletLogStart& start) : kubelet_(kubelet), start_(start) {}

  net::Task<Result<>> find_tail(std::uint64_t lines, loglines::LogEnd end);
  net::Task<Result<>> find_time(WallTime since);

 private:
  net::Task<Result<FilePart>> read(const LogFile& file, std::string wanted);
  net::Task<Result<FilePart>> read_first_record(const LogFile& file);
  net::Task<Result<std::uint64_t>> feed_backward(const LogFile& file, TailFinder& finder);
  net::Task<Result<std::uint64_t>> feed_forward(const LogFile& file, TailFinder& finder);
  net::Task<Result<>> count(const LogFile& file, loglines::LineCounter& counter);

  ApiClient& kubelet_;
  KubeletLogStart& start_;
};

net::Task<Result<FilePart>> Search::read(const LogFile& file, std::string wanted) {
  ApiRequest request;
  request.path = start_.folder + file.name();
  request.accept = "*/*";
  request.fields.add("Range", std::move(wanted));
  CO_TRY(http::Response response, co_await kubelet_.request(std::move(request)));
  FilePart part;
  if (response.head.status == http::status::kPartialContent) {
    const auto size = size_in(response.head.fields.find("Content-Range").value_or(""));
    if (!size) co_return fail(ErrorCode::Unavailable, "the node sends parts of unknown files");
    part.file_bytes = *size;
  } else if (response.head.status == http::status::kOk) {  // all of it: an empty file has no parts
    part.file_bytes = response.body.size();
  } else {
    co_return fail(error_of(response));
  }
  part.text = std::move(response.body);
  co_return part;
}

/// The first record's beginning.
net::Task<Result<FilePart>> Search::read_first_record(const LogFile& file) {
  std::string wanted = range(0, file.compressed ? kCompressedBytes : kHeaderBytes);
  CO_TRY(FilePart part, co_await read(file, std::move(wanted)));
  if (!file.compressed) co_return part;
  std::string text(kHeaderBytes, '\0');
  Bytes received = as_bytes(part.text);
  Gunzip gunzip;
  const Result<std::size_t> count =
      gunzip.inflate(received, std::as_writable_bytes(std::span(text)));
  if (!count) co_return fail(damaged_log_file(file));
  text.resize(*count);
  part.text = std::move(text);
  co_return part;
}

net::Task<Result<>> Search::find_time(WallTime since) {
  for (std::size_t i = start_.files.size(); i-- > 0;) {
    const LogFile& file = start_.files[i];
    CO_TRY(const FilePart first, co_await read_first_record(file));
    if (!loglines::begins_before(first.text, since)) continue;
    start_.index = i;
    if (file.compressed) break;  // its lines are looked at one by one
    TimeSearch search(first.file_bytes, since);
    while (!search.is_done()) {
      std::string wanted = range(search.probe_at(), TimeSearch::kProbeBytes);
      CO_TRY(const FilePart probe, co_await read(file, std::move(wanted)));
      search.take(probe.text);
    }
    start_.offset = search.begin();
    break;
  }
  co_return Result<>{};
}

net::Task<Result<>> Search::find_tail(std::uint64_t lines, loglines::LogEnd end) {
  TailFinder finder(lines, end);
  std::vector<std::uint64_t> sizes(start_.files.size());
  std::size_t index = start_.files.size();
  while (index > 0) {
    const LogFile& file = start_.files[--index];
    Result<std::uint64_t> size = fail(cancelled());
    if (file.compressed) {
      size = co_await feed_forward(file, finder);
    } else {
      size = co_await feed_backward(file, finder);
    }
    // In a damaged file the first line may have begun: then it has lost its beginning.
    const bool is_damaged = !size && size.error().code == ErrorCode::Conflict;
    if (is_damaged && finder.lines_left() == 0) break;
    CO_TRY(sizes[index], std::move(size));
    if (finder.found()) break;
  }
  // From the end of the log to the place in its file.
  const TailFinder::Start tail = finder.start();
  std::uint64_t before_end = tail.first();
  index = start_.files.size() - 1;
  for (; before_end > sizes[index] && index > 0; --index) before_end -= sizes[index];
  start_.index = index;
  start_.offset = sizes[index] - before_end;
  start_.skip_bytes = tail.skip_bytes();
  co_return Result<>{};
}

/// Returns how long the file is.
net::Task<Result<std::uint64_t>> Search::feed_backward(const LogFile& file, TailFinder& finder) {
  std::string wanted = fmt::format("bytes=-{}", kFirstBlockBytes);
  CO_TRY(FilePart part, co_await read(file, std::move(wanted)));
  const std::uint64_t size = part.file_bytes;
  for (std::uint64_t end = size; !finder.found() && !part.text.empty();) {
    std::size_t done = finder.feed_backward(part.text, part.text.size() == end);
    if (done == 0 && part.text.size() >= kBlockBytes) {
      done = part.text.size();
      finder.skip(done);
    }
    end -= done;
    if (end == 0 || finder.found()) break;
    const std::uint64_t block = std::min<std::uint64_t>(kBlockBytes, end);
    wanted = range(end - block, block);
    CO_TRY(part, co_await read(file, std::move(wanted)));
    if (part.text.size() != block) co_return fail(ErrorCode::NotFound, "the log was rotated");
  }
  co_return size;
}

/// The same of a file that can only be read from its beginning: what its tail is can be told when
/// its lines have been counted.
net::Task<Result<std::uint64_t>> Search::feed_forward(const LogFile& file, TailFinder& finder) {
  loglines::LineCounter whole;
  CO_TRY_VOID(co_await count(file, whole));
  if (finder.lines_left() == 0 || whole.lines() <= finder.lines_left()) {
    finder.take_file(whole);
  } else {
    loglines::LineCounter skipped(whole.lines() - finder.lines_left());
    CO_TRY_VOID(co_await count(file, skipped));
    finder.begin_in_file(skipped, whole);
  }
  co_return whole.bytes();
}

net::Task<Result<>> Search::count(const LogFile& file, loglines::LineCounter& counter) {
  CO_TRY(const std::unique_ptr<LogFileBody> body,
         co_await LogFileBody::open(kubelet_, start_.folder, file, 0));
  std::vector<std::byte> block(64_KiB);
  while (!counter.is_done()) {
    const Result<std::optional<std::size_t>> read = body->try_read(block);
    if (!read && read.error().code == ErrorCode::InvalidArgument) {
      co_return fail(damaged_log_file(file));
    }
    CO_TRY(const std::optional<std::size_t> size, read);
    if (size == 0U) break;
    if (size) {
      counter.feed(as_text(Bytes(block).first(*size)));
    } else {
      CO_TRY_VOID(co_await body->readable());
    }
  }
  co_return Result<>{};
}

/// Which run is meant, if its files are there: in the pauses between runs the last one is both the
/// current and the previous.
int wanted_run(const ContainerRecord& container, const LogOptions& options) {
  const bool is_between = container.state == ContainerState::Waiting;
  return options.previous && !is_between ? container.restarts - 1 : container.restarts;
}

}  // namespace

net::Task<Result<KubeletLogStart>> find_kubelet_log(ApiClient& kubelet,
                                                    std::shared_ptr<const PodRecord> pod,
                                                    std::string container, LogOptions options) {
  const ContainerRecord* const record = pod->find_container(container);
  if (record == nullptr) co_return fail(ErrorCode::NotFound, "no such container");
  KubeletLogStart start;
  start.folder =
      fmt::format("/logs/pods/{}_{}_{}/{}/", pod->namespace_name, pod->name, pod->uid, container);
  CO_TRY(std::string listing, co_await list_log_folder(kubelet, start.folder));
  for (int attempt = 0; attempt < kMaxAttempts; ++attempt) {
    std::optional<int> run = wanted_run(*record, options);
    if (options.previous) run = newest_run(listing, *run);  // it may be removed, and one before not
    if (run) start.files = files_of_run(listing, *run);
    if (start.files.empty()) co_return fail(ErrorCode::NotFound, "the node has no log of that run");
    if (!options.tail_lines && !options.since) co_return start;

    start.index = 0;
    start.offset = 0;
    Search search(kubelet, start);
    const bool may_grow = !options.previous && record->state == ContainerState::Running;
    Result<> found = Result<>{};
    if (options.tail_lines) {
      const auto end = may_grow ? loglines::LogEnd::Open : loglines::LogEnd::Final;
      found = co_await search.find_tail(*options.tail_lines, end);
    } else {
      found = co_await search.find_time(*options.since);
    }
    if (!found && found.error().code != ErrorCode::NotFound) co_return fail(found.error());
    CO_TRY(listing, co_await list_log_folder(kubelet, start.folder));
    if (found && files_of_run(listing, *run) == start.files) co_return start;
  }
  co_return fail(ErrorCode::NotFound, "the log is rotated too often to look for a place in it");
}

net::Task<Result<std::string>> list_log_folder(ApiClient& kubelet, std::string folder) {
  ApiRequest request;
  request.path = std::move(folder);
  request.accept = "*/*";
  CO_TRY(http::Response response, co_await kubelet.request(std::move(request)));
  if (response.head.status / 100 != 2) co_return fail(error_of(response));
  co_return std::move(response.body);
}

Error damaged_log_file(const LogFile& file) {
  return Error{.code = ErrorCode::Conflict,
               .message = fmt::format("log lines lost: {} is damaged; sinceTime reads what follows",
                                      file.name())};
}

}  // namespace sluice::backend::kubernetes
