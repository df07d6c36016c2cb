#include "http/request_parser.h"

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
Result<> check_characters(std::string_view head) {
  for (std::size_t i = 0; i < head.size(); ++i) {
    const auto byte = static_cast<unsigned char>(head[i]);
    if (byte >= 0x20 || byte == '\t') continue;
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
  return {};
}

/// Splits the request-target (RFC 9112 3.2) into path and query.
Result<> set_target(RequestHead& head, std::string_view target) {
  if (target.find('#') != target.npos) return malformed("a fragment in the target");
  if (const std::size_t scheme = target.find("://");
      !target.starts_with('/') && scheme != target.npos) {
    // Absolute form: served if it is meant for us, never proxied.
    std::string_view rest = target.substr(scheme + 3);
    const std::size_t end = std::min(rest.find_first_of("/?"), rest.size());
    if (!equals_ignore_case(rest.substr(0, end), head.fields.find("Host").value_or(""))) {
      return malformed("the target's authority is not the Host");
    }
    target = rest.substr(end);
  }
  const std::size_t question = std::min(target.find('?'), target.size());
  head.path = target.substr(0, question);
  if (!head.path.starts_with('/'))
    head.path.insert(0, "/");  // "*", or CONNECT's authority: no route
  if (question < target.size()) head.query = target.substr(question + 1);
  return {};
}

}  // namespace

struct RequestParser::Beast {
  beast_http::request_parser<beast_http::string_body> parser;
  RequestHead head;
};

RequestParser::RequestParser(std::size_t head_limit, std::size_t body_limit)
    : head_limit_(head_limit), beast_(std::make_unique<Beast>()) {
  beast_->parser.header_limit(static_cast<std::uint32_t>(head_limit));
  beast_->parser.body_limit(body_limit);
  beast_->parser.eager(true);
}

RequestParser::~RequestParser() = default;

bool RequestParser::head_complete() const { return beast_->parser.is_header_done(); }

bool RequestParser::complete() const { return beast_->parser.is_done(); }

bool RequestParser::expects_continue() const {
  return beast_->head.fields.has_token("Expect", "100-continue");
}

RequestHead RequestParser::take_head() { return std::move(beast_->head); }

Result<std::size_t> RequestParser::feed(std::string_view input) {
  std::size_t skipped = 0;
  const bool in_head = !head_complete();
  if (in_head) {
    // An empty line before the request line is ignored (RFC 9112 2.2).
    while (input.starts_with("\r\n")) {
      input.remove_prefix(2);
      skipped += 2;
    }
    const std::size_t end = input.find("\r\n\r\n");
    const std::string_view head = input.substr(0, end == input.npos ? input.size() : end + 4);
    if (head.size() > head_limit_) {
      return fail(ErrorCode::HeaderTooLarge,
                  "the request's head is larger than " + std::to_string(head_limit_) + " bytes");
    }
    TRY_VOID(check_characters(head));
    if (end == input.npos) return skipped;
    TRY_VOID(check_lines(head));
  }
  boost::system::error_code error;
  const std::size_t taken =
      beast_->parser.put(boost::asio::const_buffer(input.data(), input.size()), error);
  if (error == beast_http::error::body_limit) {
    return fail(ErrorCode::TooLarge, "the request's body is too large: these endpoints take none");
  }
  if (error && error != beast_http::error::need_more) return malformed(error.message());
  if (in_head && head_complete()) TRY_VOID(read_head());
  return skipped + taken;
}

Result<> RequestParser::read_head() {
  const auto& message = beast_->parser.get();
  RequestHead& head = beast_->head;
  for (const auto& field : message) head.fields.add(field.name_string(), field.value());
  const int minor_version = static_cast<int>(message.version()) - 10;
  if (minor_version != 0 && minor_version != 1) return malformed("not HTTP/1.0 or HTTP/1.1");
  TRY_VOID(check_fields(head, minor_version));
  head.method = message.method_string();
  head.minor_version = minor_version;
  head.keep_alive = message.keep_alive();
  return set_target(head, message.target());
}

}  // namespace sluice::http
