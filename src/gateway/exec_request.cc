#include "gateway/exec_request.h"

#include "base/base64.h"
#include "base/json.h"

namespace sluice::gateway {
namespace {

using Command = std::vector<std::string>;

std::unexpected<Error> bad_command(std::string_view problem) {
  return fail(ErrorCode::InvalidArgument, "command: " + std::string(problem),
              "command is the base64 (standard or URL alphabet) of a JSON array of strings, "
              "such as [\"ls\",\"-l\"], in the query or in the header Command");
}

Result<Command> decode_command(std::string_view encoded) {
  if (encoded.empty()) return bad_command("is empty");
  const std::optional<std::string> text = base64_decode_any(encoded);
  if (!text) return bad_command("is not valid base64");
  const Result<json::value> parsed = json::parse(*text);
  if (!parsed) return bad_command("the decoded text is not valid JSON");
  const json::array* items = parsed->if_array();
  if (items == nullptr) return bad_command("the decoded JSON is not an array");
  if (items->empty()) return bad_command("the array is empty; it needs at least the program");
  Command command;
  for (const json::value& item : *items) {
    const auto* text_item = item.if_string();
    if (text_item == nullptr) return bad_command("the array holds something that is not a string");
    command.emplace_back(text_item->data(), text_item->size());
    if (command.back().find('\0') != std::string::npos) {
      return bad_command("a string holds a NUL byte, which no program can be given");
    }
  }
  if (command.front().empty()) return bad_command("the program (the first string) is empty");
  return command;
}

Result<std::optional<Command>> command_of_query(const Query& query) {
  TRY(const std::optional<std::string> encoded, query.verbatim("command"));
  if (!encoded) return std::nullopt;
  return decode_command(*encoded);
}

Result<std::optional<Command>> command_of_header(const http::FieldMap& fields) {
  const std::vector<std::string_view> values = fields.find_all("Command");
  if (values.empty()) return std::nullopt;
  if (values.size() > 1) return bad_command("the header Command is given more than once");
  return decode_command(values.front());
}

Result<Command> parse_command(const Query& query, const http::FieldMap& fields) {
  TRY(std::optional<Command> in_query, command_of_query(query));
  TRY(std::optional<Command> in_header, command_of_header(fields));
  if (!in_query && !in_header) return bad_command("is missing");
  if (in_query && in_header && *in_query != *in_header) {
    return bad_command("the query and the header Command differ; one of them is enough");
  }
  return in_query ? *std::move(in_query) : *std::move(in_header);
}

}  // namespace

Result<ExecRequest> parse_exec_request(std::string_view raw_query, const http::FieldMap& fields) {
  TRY(const Query query, Query::parse(raw_query));
  ExecRequest request;
  TRY(request.streams, parse_stream_request(query));
  TRY(request.command, parse_command(query, fields));
  TRY(const bool leave, query.flag("onDisconnect", "leave"));
  if (leave) request.on_disconnect = backend::OnDisconnect::Leave;
  return request;
}

}  // namespace sluice::gateway
