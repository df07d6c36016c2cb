#include "http/client.h"

#include "http/client_connection.h"
#include "http/url.h"
#include "net/deadline.h"
#include "net/resolve.h"
#include "net/tls_stream.h"

namespace sluice::http {
namespace {

ClientRequest request_for(const Url& url, const FieldMap& fields) {
  ClientRequest request{.target = url.target};
  request.fields.add("Host", url.authority);
  request.fields.add("Accept", "application/json");
  request.fields.add("Connection", "close");
  for (const Field& field : fields) request.fields.add(field.name, field.value);
  return request;
}

/// The request without a deadline.
net::Task<Result<Response>> perform(Url url, ClientOptions options, net::Timers& timers) {
  CO_TRY(std::unique_ptr<net::TcpStream> tcp, co_await net::connect_host(url.host, url.port));
  std::unique_ptr<net::Stream> stream;
  if (url.secure) {
    CO_TRY(stream, co_await net::connect_tls(std::move(tcp), options.tls, url.host, timers,
                                             options.timeout));
  } else {
    stream = std::move(tcp);
  }
  ClientConnection connection(std::move(stream));
  ClientRequest request = request_for(url, options.fields);
  Response response;
  CO_TRY(response.head, co_await connection.send(std::move(request)));
  CO_TRY(response.body, co_await connection.read_whole_body(options.body_limit_bytes));
  co_return response;
}

}  // namespace

net::Task<Result<Response>> get(std::string url, ClientOptions options, net::Timers& timers) {
  CO_TRY(Url parsed, parse_url(url));
  if (parsed.secure && !options.tls) {
    co_return fail(ErrorCode::InvalidArgument, url + ": no TLS is configured for it");
  }
  const MonotonicTime deadline = timers.now() + options.timeout;
  auto task = perform(std::move(parsed), std::move(options), timers);
  Result<Response> response = co_await net::before(deadline, timers, std::move(task));
  if (!response) response.error().message = url + ": " + response.error().message;
  co_return response;
}

}  // namespace sluice::http
