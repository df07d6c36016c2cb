#include "gateway/log_download.h"

#include <fmt/format.h>

#include "base/text.h"
#include "gateway/gzip.h"
#include "http/status.h"
#include "net/yield.h"
#include "observe/log.h"
#include "ws/output_buffer.h"

namespace sluice::gateway {
namespace {

/// What goes into one chunk: a block of the log's, or what becomes of it.
class Encoder {
 public:
  explicit Encoder(bool gzip) {
    if (gzip) gzip_.emplace();
  }
  void add(std::string_view text, ws::OutputBuffer& out) {
    if (gzip_) {
      gzip_->write(as_bytes(text), out);
    } else {
      out.append(as_bytes(text));
    }
  }
  void finish(ws::OutputBuffer& out) {
    if (gzip_) gzip_->finish(out);
  }

 private:
  std::optional<GzipStream> gzip_;
};

/// Appends the next block; false at the end of the log.
Result<bool> take_block(backend::LogStream& log, Encoder& encoder, ws::OutputBuffer& out) {
  TRY(const std::span<const backend::LogPiece> pieces, log.read());
  for (const backend::LogPiece& piece : pieces) encoder.add(piece.text, out);
  if (!pieces.empty() || !log.end()) return true;
  encoder.finish(out);
  return false;
}

/// take_block() in turn: of all downloads of a loop, one block is read and compressed before the
/// loop goes round. A log is there at once, and so may its client be.
net::Task<Result<bool>> take_block_in_turn(net::Turns& turns, backend::LogStream& log,
                                           Encoder& encoder, ws::OutputBuffer& out) {
  CO_TRY_VOID(co_await turns.take());
  const Result<bool> more = take_block(log, encoder, out);
  const Result<> yielded = co_await net::yield();
  turns.pass();
  if (!yielded) co_return fail(yielded.error());
  co_return more;
}

net::Task<Result<>> send_blocks(Exchange& exchange, backend::LogStream& log, Encoder& encoder) {
  ws::OutputBuffer chunk;
  while (true) {
    CO_TRY(const bool more,
           co_await take_block_in_turn(exchange.download_turns, log, encoder, chunk));
    chunk.shrink();  // the client may take its time
    const Bytes bytes = chunk.pending();
    CO_TRY_VOID(co_await exchange.connection.write_chunk(bytes));
    chunk.consume(bytes.size());
    if (!more) break;
    if (!log.end()) {
      CO_TRY_VOID(co_await log.readable());
    }
  }
  co_return co_await exchange.connection.finish_chunks();
}

http::ResponseHead download_head(const std::string& file_name, bool gzip) {
  http::ResponseHead head;
  head.status = http::status::kOk;
  head.fields.add("Content-Type", "application/octet-stream");
  head.fields.add("Content-Disposition", fmt::format("attachment; filename=\"{}\"", file_name));
  head.fields.add("Cache-Control", "no-store");
  head.fields.add("Vary", "Accept-Encoding");
  if (gzip) head.fields.add("Content-Encoding", "gzip");
  return head;
}

Error incomplete(const Error& error) {
  Error told = error;
  told.message = "the download is incomplete: " + error.message;
  return told;
}

}  // namespace

std::string download_file_name(const workload::ContainerRef& container, WallTime now) {
  std::string stamp = format_rfc3339(now);
  std::erase_if(stamp, [](char c) { return c == '-' || c == ':'; });
  return fmt::format("{}_{}_{}_{}.log", container.workload.name, container.pod.name,
                     container.container, stamp);
}

net::Task<Result<Answer>> send_log_download(const Services& services, Exchange& exchange,
                                            const workload::ContainerRef& container,
                                            std::unique_ptr<backend::LogStream> log) {
  // A log that can't be read at all is still an answer with a status.
  if (!log->end()) {
    CO_TRY_VOID(co_await log->readable());
  }
  const bool gzip = accepts_gzip(exchange.head.fields.find_all("Accept-Encoding"));
  Encoder encoder(gzip);
  const std::string file_name = download_file_name(container, services.timers.wall_now());
  const http::ResponseHead head = download_head(file_name, gzip);
  const bool keep_alive = keeps_alive(services, exchange.head);
  CO_TRY_VOID(co_await exchange.connection.start_chunks(head, keep_alive));
  const Result<> sent = co_await send_blocks(exchange, *log, encoder);
  if (!sent) {
    sluice::log(LogLevel::Warning, "download ended early", sent.error(),
                {{"user", exchange.user}, {"pod", container.pod.name}});
    exchange.connection.abort();
  }
  Streamed streamed{.broke_off = std::nullopt, .keeps_alive = keep_alive};
  if (!sent) streamed.broke_off = incomplete(sent.error());
  co_return Answer(std::move(streamed));
}

}  // namespace sluice::gateway
