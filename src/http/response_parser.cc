#include "http/response_parser.h"

#include <functional>
#include <stdexcept>

#include <boost/beast/http/parser.hpp>

namespace sluice::http {
namespace {

namespace beast_http = boost::beast::http;

/// A Body of Beast's that remembers where in the input the last piece was.
struct PieceBody {
  using value_type = std::string_view;

  class reader {
   public:
    template <bool isRequest, typename Fields>
    reader(beast_http::header<isRequest, Fields>&, value_type& piece) : piece_(piece) {}

    void init(const boost::optional<std::uint64_t>&, boost::system::error_code& error) {
      error = {};
    }
    std::size_t put(const boost::asio::const_buffer& piece, boost::system::error_code& error) {
      error = {};
      piece_ = {static_cast<const char*>(piece.data()), piece.size()};
      return piece.size();
    }
    void finish(boost::system::error_code& error) { error = {}; }

   private:
    value_type& piece_;
  };
};

Result<> check(const boost::system::error_code& error) {
  if (!error || error == beast_http::error::need_more) return {};
  return fail(ErrorCode::Unavailable, "malformed response: " + error.message());
}

}  // namespace

struct ResponseParser::Beast {
  using ErrorCode = boost::system::error_code;

  Beast() { parser.on_chunk_header(on_chunk); }

  /// Beast asserts that a chunked body's last element (at least "0\r\n\r\n") has not been cut
  /// short.
  bool may_be_cut(std::string_view input) const {
    return parser.is_header_done() && parser.chunked() && chunk_left == 0 && input.size() < 5;
  }

  beast_http::response_parser<PieceBody> parser;
  std::uint64_t chunk_left = 0;  // bytes that the chunk still has
  std::function<void(std::uint64_t, boost::beast::string_view, ErrorCode&)> on_chunk =
      [this](std::uint64_t size, boost::beast::string_view, ErrorCode&) { chunk_left = size; };
};

ResponseParser::ResponseParser() : beast_(std::make_unique<Beast>()) {
  beast_->parser.header_limit(kMaxElementBytes);
  beast_->parser.body_limit(boost::none);  // it is not kept, so any size will do
}

ResponseParser::~ResponseParser() = default;

bool ResponseParser::head_complete() const { return beast_->parser.is_header_done(); }

bool ResponseParser::complete() const { return beast_->parser.is_done(); }

std::optional<std::uint64_t> ResponseParser::body_left() const {
  const auto left = beast_->parser.content_length_remaining();
  return left ? std::optional<std::uint64_t>(*left) : std::nullopt;
}

bool ResponseParser::keeps_connection() const { return beast_->parser.keep_alive(); }

std::string_view ResponseParser::body() const { return beast_->parser.get().body(); }

Result<std::size_t> ResponseParser::feed(std::string_view input) {
  beast_->parser.get().body() = {};
  if (input.empty() || beast_->may_be_cut(input)) return 0;
  boost::system::error_code error;
  std::size_t taken = 0;
  try {
    taken = beast_->parser.put(boost::asio::const_buffer(input.data(), input.size()), error);
  } catch (const std::length_error&) {  // a trailer of more than 64 KiB
    return fail(ErrorCode::Unavailable, "malformed response: a field that is too large");
  }
  TRY_VOID(check(error));
  if (beast_->chunk_left > 0) beast_->chunk_left -= body().size();
  if (!complete() && taken == 0 && input.size() >= kMaxElementBytes) {
    return fail(ErrorCode::Unavailable, "malformed response: a chunk's head that does not end");
  }
  return taken;
}

Result<> ResponseParser::finish() {
  beast_->parser.get().body() = {};
  boost::system::error_code error = beast_http::error::partial_message;
  if (beast_->parser.got_some()) beast_->parser.put_eof(error);  // Beast insists on that
  if (error == beast_http::error::partial_message) {
    return fail(ErrorCode::Unavailable, "the response was cut short");
  }
  return check(error);
}

ResponseHead ResponseParser::take_head() {
  ResponseHead head;
  head.status = beast_->parser.get().result_int();
  for (const auto& field : beast_->parser.get()) {
    head.fields.add(field.name_string(), field.value());
  }
  return head;
}

}  // namespace sluice::http
