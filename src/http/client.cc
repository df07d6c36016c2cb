#include "http/client.h"

#include <array>

#include <boost/url/parse.hpp>
#include <boost/url/url_view.hpp>

#include "http/response_parser.h"
#include "net/deadline.h"
#include "net/resolve.h"
#include "net/tls_stream.h"

namespace sluice::http {
namespace {

struct Url {
  bool secure = false;
  std::string host;       // a name or an address, without brackets
  std::string authority;  // as the Host field wants it
  std::uint16_t port = 0;
  std::string target;
};

Result<Url> parse_url(const std::string& text) {
  const auto parsed = boost::urls::parse_uri(text);
  const bool http = parsed && parsed->scheme_id() == boost::urls::scheme::http;
  const bool https = parsed && parsed->scheme_id() == boost::urls::scheme::https;
  if ((!http && !https) || parsed->host().empty() || parsed->has_userinfo()) {
    return fail(ErrorCode::InvalidArgument, "\"" + text + "\" is no http or https URL");
  }
  Url url{.secure = https};
  url.host = parsed->host_address();
  url.authority = std::string(parsed->encoded_host_and_port());
  url.port =
      parsed->has_port() ? parsed->port_number() : static_cast<std::uint16_t>(https ? 443 : 80);
  url.target = std::string(parsed->encoded_target());
  if (!url.target.starts_with('/')) url.target.insert(0, "/");
  return url;
}

std::string request_text(const Url& url, const FieldMap& fields) {
  std::string text = "GET " + url.target + " HTTP/1.1\r\nHost: " + url.authority +
                     "\r\nAccept: application/json\r\nConnection: close\r\n";
  for (const Field& field : fields) text += field.name + ": " + field.value + "\r\n";
  return text + "\r\n";
}

net::Task<Result<Response>> exchange(net::Stream& stream, std::string request,
                                     std::size_t body_limit) {
  CO_TRY_VOID(co_await stream.write(as_bytes(request)));
  ResponseParser parser(body_limit);
  std::string buffer;
  std::array<std::byte, 8192> block;
  while (!parser.complete()) {
    CO_TRY(const std::size_t count, co_await stream.read(block));
    if (count == 0) {
      CO_TRY_VOID(parser.finish());
      if (!parser.complete()) co_return fail(ErrorCode::Unavailable, "the response was cut short");
      break;
    }
    buffer += as_text(Bytes(block).first(count));
    CO_TRY(const std::size_t taken, parser.feed(buffer));
    buffer.erase(0, taken);
  }
  co_return parser.take();
}

/// The request without a deadline.
net::Task<Result<Response>> perform(Url url, const ClientOptions& options, net::Timers& timers) {
  CO_TRY(std::unique_ptr<net::Stream> stream, co_await net::connect_host(url.host, url.port));
  if (url.secure) {
    std::unique_ptr<net::TcpStream> tcp(static_cast<net::TcpStream*>(stream.release()));
    CO_TRY(stream, co_await net::connect_tls(std::move(tcp), options.tls, url.host, timers,
                                             options.timeout));
  }
  std::string request = request_text(url, options.fields);
  co_return co_await exchange(*stream, std::move(request), options.body_limit_bytes);
}

net::Task<> store(net::Task<Result<Response>> task, Result<Response>& result) {
  result = co_await std::move(task);
}

}  // namespace

net::Task<Result<Response>> get(std::string url, ClientOptions options, net::Timers& timers) {
  CO_TRY(Url parsed, parse_url(url));
  if (parsed.secure && !options.tls) {
    co_return fail(ErrorCode::InvalidArgument, url + ": no TLS is configured for it");
  }
  const net::Executor executor = co_await net::current_executor();
  net::TaskGroup group(executor);
  net::Deadline deadline(executor, timers, timers.now() + options.timeout,
                         [&group] { group.cancel(); });
  Result<Response> response = fail(cancelled());
  group.spawn("http get", store(perform(std::move(parsed), options, timers), response));
  co_await group.join();
  const bool expired = co_await deadline.end();
  if (expired) response = fail(ErrorCode::Unavailable, url + ": timed out");
  co_return response;
}

}  // namespace sluice::http
