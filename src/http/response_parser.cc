#include "http/response_parser.h"

#include <stdexcept>

#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>

namespace sluice::http {
namespace {

namespace beast_http = boost::beast::http;

/// Bytes that one element of the syntax may have.
constexpr std::size_t kMaxPending = 64 * 1024;

Result<> check(const boost::system::error_code& error) {
  if (!error || error == beast_http::error::need_more) return {};
  return fail(ErrorCode::Unavailable, "malformed response: " + error.message());
}

}  // namespace

struct ResponseParser::Beast {
  beast_http::response_parser<beast_http::string_body> parser;
};

ResponseParser::ResponseParser(std::size_t body_limit) : beast_(std::make_unique<Beast>()) {
  beast_->parser.body_limit(body_limit);
  beast_->parser.eager(true);
}

ResponseParser::~ResponseParser() = default;

bool ResponseParser::complete() const { return beast_->parser.is_done(); }

Result<std::size_t> ResponseParser::feed(std::string_view input) {
  boost::system::error_code error;
  std::size_t taken = 0;
  try {
    taken = beast_->parser.put(boost::asio::const_buffer(input.data(), input.size()), error);
  } catch (const std::length_error&) {  // a trailer of more than 64 KiB
    return fail(ErrorCode::Unavailable, "malformed response: a field that is too large");
  }
  TRY_VOID(check(error));
  if (!complete() && input.size() - taken > kMaxPending) {
    return fail(ErrorCode::Unavailable, "malformed response: a chunk's head that does not end");
  }
  return taken;
}

Result<> ResponseParser::finish() {
  if (!beast_->parser.got_some()) {  // Beast insists that something came
    return fail(ErrorCode::Unavailable, "the connection ended without a response");
  }
  boost::system::error_code error;
  beast_->parser.put_eof(error);
  return check(error);
}

Response ResponseParser::take() {
  auto message = beast_->parser.release();
  Response response;
  response.head.status = message.result_int();
  for (const auto& field : message) {
    response.head.fields.add(field.name_string(), field.value());
  }
  response.body = std::move(message.body());
  return response;
}

}  // namespace sluice::http
