#include "gateway/stream_request.h"

namespace sluice::gateway {
namespace {

constexpr std::int64_t kMaxTerminalCells = 65'535;

/// Either of columns and rows may be given alone; the other keeps its default.
Result<std::optional<backend::TerminalSize>> parse_size(const Query& query) {
  TRY(const std::optional<std::int64_t> columns, query.integer("columns", 1, kMaxTerminalCells));
  TRY(const std::optional<std::int64_t> rows, query.integer("rows", 1, kMaxTerminalCells));
  if (!columns && !rows) return std::nullopt;
  backend::TerminalSize size;
  if (columns) size.width = static_cast<std::uint16_t>(*columns);
  if (rows) size.height = static_cast<std::uint16_t>(*rows);
  return size;
}

}  // namespace

Result<StreamRequest> parse_stream_request(const Query& query) {
  StreamRequest request;
  backend::StreamOptions& options = request.options;
  TRY(request.target.pod, query.text("pod"));
  TRY(request.target.container, query.text("container"));
  TRY(options.stdin, query.boolean("stdin", false));
  TRY(options.stdout, query.boolean("stdout", true));
  TRY(options.stderr, query.boolean("stderr", true));
  TRY(options.tty, query.boolean("tty", false));
  if (!options.stdin && !options.stdout && !options.stderr) {
    return fail(ErrorCode::InvalidArgument,
                "query fields stdin, stdout and stderr: at least one of them must be true");
  }
  TRY(options.size, parse_size(query));
  TRY(const bool ends_stdin, query.flag("stdinEof", "empty"));
  if (ends_stdin) request.empty_message = session::EmptyMessage::EndsInput;
  return request;
}

Result<StreamRequest> parse_attach_request(std::string_view raw_query) {
  TRY(const Query query, Query::parse(raw_query));
  return parse_stream_request(query);
}

}  // namespace sluice::gateway
