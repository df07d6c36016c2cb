#include "http/request_parser.h"

#include <algorithm>
#include <stdexcept>

#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>

#include "base/text.h"

namespace sluice::http {
namespace {

namespace beast_http = boost::beast::http;

std::unexpected<Error> malformed(std::string_view what) {
  return fail(ErrorCode::InvalidArgument, "malformed request: " + std::string(what));
}

/// A line must end with CR LF and may hold no other control character but a tab (RFC 9112 2.2).
/// Checks from `begin` on; a CR at the end is left to the next look.
Result<> check_characters(std::string_view head, std::size_t begin) {
  for (std::size_t i = begin; i < head.size(); ++i) {
    const auto byte = static_cast<unsigned char>(head[i]);
    if ((byte >= 0x20 && byte != 0x7f) || byte == '\t') continue;
    const bool cr = byte == '\r' && (i + 1 == head.size() || head[i + 1] == '\n');
    const bool lf = byte == '\n' && i > 0 && head[i - 1] == '\r';
    if (!cr && !lf) return malformed("a control character in the head");
  }
  return {};
}

Result<> check_lines(std::string_view head) {
  if (head.find("\r\n ") != head.npos || head.find("\r\n\t") != head.npos) {
    return malformed("a folded header line (RFC 9112 5.2)");
  }
  return {};
}

/// One way to tell where the body ends (RFC 9112 6.3), and one Host (RFC 9112 3.2).
Result<> check_fields(const RequestHead& head, int minor_version) {
  const auto lengths = head.fields.find_all("Content-Length");
  const auto codings = head.fields.find_all("Transfer-Encoding");
  const auto hosts = head.fields.find_all("Host");
  if (lengths.size() > 1) return malformed("more than one Content-Length");
  if (!lengths.empty() && lengths[0].find_first_not_of("0123456789") != std::string_view::npos) {
    return malformed("a Content-Length that is no number");
  }
  if (codings.size() > 1 || (!codings.empty() && !lengths.empty())) {
    return malformed("more than one framing of the body");
  }
  if (!codings.empty() && (minor_version == 0 || !equals_ignore_case(codings[0], "chunked"))) {
    return malformed("a Transfer-Encoding other than chunked");
  }
  if (hosts.size() > 1) return malformed("more than one Host");
  if (hosts.empty() && minor_version > 0) return malformed("no Host");
  // uri-host [":" port]: nothing that another reader could take for something else (RFC 9110 7.2).
  if (!hosts.empty() && hosts[0].find_first_of(" \t/?#@,;\"\\<>{}|^`") != hosts[0].npos) {
    return malformed("a Host that is none");
  }
  return {};
}

/// What follows "http://" or "https://"; nullopt when it does not begin so.
std::optional<std::string_view> behind_scheme(std::string_view target) {
  for (const std::string_view scheme : {"http://", "https://"}) {
    if (equals_ignore_case(target.substr(0, scheme.size()), scheme)) {
      return target.substr(scheme.size());
    }
  }
  return std::nullopt;
}

/// Splits the request-target (RFC 9112 3.2) into path and query.
Result<> set_target(RequestHead& head, std::string_view target) {
  if (target.find('#') != target.npos) return malformed("a fragment in the target");
  if (const auto rest = behind_scheme(target)) {
    // Absolute form: served if it is meant for us, never proxied.
    const std::size_t end = std::min(rest->find_first_of("/?"), rest->size());
    if (!equals_ignore_case(rest->substr(0, end), head.fields.find("Host").value_or(""))) {
      return malformed("the target's authority is not the Host");
    }
    target = rest->substr(end);
  } else if (!target.starts_with('/') && target != "*" && head.method != "CONNECT") {
    return malformed("a target that is neither a path nor an http URL");
  }
  const std::size_t question = std::min(target.find('?'), target.size());
  head.path = target.substr(0, question);
  // "*", or CONNECT's authority: no route leads there.
  if (!head.path.starts_with('/')) head.path.insert(0, "/");
  if (question < target.size()) head.query = target.substr(question + 1);
  return {};
}

bool has_unpaired_quote(std::string_view line) {
  bool open = false;
  for (std::size_t at = 0; at < line.size(); ++at) {
    if (line[at] == '"') open = !open;
    if (line[at] == '\\' && open) ++at;
  }
  return open;
}

}  // namespace

struct RequestParser::Beast {
  /// Beast takes anything for a quoted value of a chunk's extension, also what others take for the
  /// end of the line.
  struct CheckExtensions {
    void operator()(std::uint64_t /*size*/, std::string_view extensions,
                    boost::system::error_code& error) const {
      if (!check_characters(extensions, 0)) error = beast_http::error::bad_chunk_extension;
    }
  };

  /// Beast asserts that a chunked body's last element (at least "0\r\n\r\n") has not been cut
  /// short.
  bool may_be_cut(std::string_view input) const {
    return parser.chunked() && input.starts_with('0') && input.size() < 5;
  }

  /// Beast looks for the end of an extension's quoted value beyond its line, so that a request with
  /// one that the line does not end would be waited for. `input`: what it has left of a body, from
  /// the head of a chunk on; `moved`: not that of the last time. Looks at each byte once.
  bool has_open_quote(std::string_view input, bool moved) {
    if (!parser.chunked()) return false;
    if (moved) chunk_head_checked = 0;
    const std::size_t begin = input.starts_with("\r\n") ? 2 : 0;  // of the chunk before
    if (chunk_head_checked == input.npos || input.size() <= begin) return false;
    const std::size_t end = input.find("\r\n", std::max(chunk_head_checked, begin + 1) - 1);
    chunk_head_checked = end == input.npos ? input.size() : input.npos;
    return end != input.npos && has_unpaired_quote(input.substr(begin, end - begin));
  }

  std::size_t chunk_head_checked = 0;  // bytes of it without a line's end; npos: it has been judged
  CheckExtensions check_extensions;
  beast_http::request_parser<beast_http::string_body> parser;
  RequestHead head;
};

RequestParser::RequestParser(std::size_t head_limit, std::size_t body_limit)
    : head_limit_(head_limit), beast_(std::make_unique<Beast>()) {
  beast_->parser.header_limit(static_cast<std::uint32_t>(head_limit));
  beast_->parser.body_limit(body_limit);
  beast_->parser.eager(true);
  beast_->parser.on_chunk_header(beast_->check_extensions);
}

RequestParser::~RequestParser() = default;

bool RequestParser::head_complete() const { return beast_->parser.is_header_done(); }

bool RequestParser::complete() const { return beast_->parser.is_done(); }

bool RequestParser::expects_continue() const {
  const RequestHead& head = beast_->head;
  return head.minor_version > 0 && head.fields.has_token("Expect", "100-continue");
}

RequestHead RequestParser::take_head() { return std::move(beast_->head); }

Result<std::size_t> RequestParser::feed(std::string_view input) {
  const std::size_t offered = input.size();
  if (!head_complete()) {
    // An empty line before the request line is ignored (RFC 9112 2.2).
    while (checked_ == 0 && input.starts_with("\r\n")) input.remove_prefix(2);
    TRY(const std::size_t size, check_head(input));
    if (size == 0) return offered - input.size();
    // The head alone: Beast would add a chunked body's trailers to the fields (RFC 9110 6.5.1).
    TRY_VOID(put(input.substr(0, size)));
    if (!head_complete()) return malformed("an incomplete head");
    TRY_VOID(read_head());
    input.remove_prefix(size);
  }
  if (!complete() && !input.empty() && !beast_->may_be_cut(input)) {
    TRY(const std::size_t taken, put(input));
    input.remove_prefix(taken);
    if (!complete() && beast_->has_open_quote(input, taken > 0)) {
      return malformed("a chunk extension with an open quote");
    }
    if (!complete() && input.size() > head_limit_) return too_large();  // a chunk's own head
  }
  return offered - input.size();
}

std::unexpected<Error> RequestParser::too_large() const {
  return fail(ErrorCode::HeaderTooLarge,
              "the request's line and headers are larger than " + std::to_string(head_limit_) +
                  " bytes, the most that is taken; send fewer or shorter ones");
}

/// The size of the head, or 0 while it is not whole. Looks at each byte once, however they come.
Result<std::size_t> RequestParser::check_head(std::string_view input) {
  if (checked_ == 0 && input == "\r") return 0;  // perhaps an empty line
  const std::size_t end = input.find("\r\n\r\n", std::max<std::size_t>(checked_, 3) - 3);
  const std::string_view head = input.substr(0, end == input.npos ? input.size() : end + 4);
  if (head.size() > head_limit_) return too_large();
  TRY_VOID(check_characters(head, std::max<std::size_t>(checked_, 1) - 1));
  checked_ = head.size();
  if (end == input.npos) return 0;
  TRY_VOID(check_lines(head));
  return head.size();
}

Result<std::size_t> RequestParser::put(std::string_view bytes) {
  boost::system::error_code error;
  std::size_t taken = 0;
  try {
    taken = beast_->parser.put(boost::asio::const_buffer(bytes.data(), bytes.size()), error);
  } catch (const std::length_error&) {  // a trailer of more than 64 KiB
    return too_large();
  }
  if (error == beast_http::error::body_limit) {
    return fail(ErrorCode::TooLarge,
                "the request's body is too large: these endpoints take none, so send none");
  }
  if (error && error != beast_http::error::need_more) return malformed(error.message());
  return taken;
}

Result<> RequestParser::read_head() {
  const auto& message = beast_->parser.get();
  RequestHead& head = beast_->head;
  const int minor_version = static_cast<int>(message.version()) - 10;
  for (const auto& field : message) {
    // HTTP/1.0 has no upgrade, whatever a proxy let through (RFC 9110 7.8).
    if (minor_version == 0 && field.name() == beast_http::field::upgrade) continue;
    head.fields.add(field.name_string(), field.value());
  }
  if (minor_version != 0 && minor_version != 1) return malformed("not HTTP/1.0 or HTTP/1.1");
  TRY_VOID(check_fields(head, minor_version));
  head.method = message.method_string();
  head.minor_version = minor_version;
  // A client that asks for another protocol may have sent some of it already: where the answer is
  // no, that must not be read as requests (RFC 9110 7.8).
  head.keep_alive = message.keep_alive() && !head.fields.find("Upgrade");
  return set_target(head, message.target());
}

}  // namespace sluice::http
