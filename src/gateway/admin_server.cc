#include "gateway/admin_server.h"

#include "gateway/error_response.h"
#include "http/status.h"
#include "net/yield.h"
#include "ws/held_bytes.h"

namespace sluice::gateway {
namespace {

using http::status::kOk;
using http::status::kUnavailable;

constexpr std::string_view kPlainText = "text/plain; charset=utf-8";

http::Response text_response(unsigned status, std::string_view content_type, std::string body) {
  http::Response response;
  response.head.status = status;
  response.head.fields.add("Content-Type", std::string(content_type));
  response.body = std::move(body);
  return response;
}

http::Response readiness(Stage stage) {
  switch (stage) {
    case Stage::Starting: return text_response(kUnavailable, kPlainText, "starting\n");
    case Stage::Ready: return text_response(kOk, kPlainText, "ready\n");
    case Stage::Retiring: return text_response(kUnavailable, kPlainText, "handed over\n");
    case Stage::Draining: return text_response(kUnavailable, kPlainText, "shutting down\n");
  }
  std::unreachable();
}

http::Response refusal(ErrorCode code, std::string message) {
  return error_response(Error{.code = code, .message = std::move(message)},
                        MissingWorkload::Json404);
}

}  // namespace

void AdminServer::serve(std::unique_ptr<net::Stream> stream) {
  tasks_.spawn("admin client", serve_client(std::move(stream)));
}

net::Task<> AdminServer::stop() {
  tasks_.cancel();
  co_await tasks_.join();
}

net::Task<> AdminServer::serve_client(std::unique_ptr<net::Stream> stream) {
  http::ServerConnection connection(std::move(stream), services_.timers, http::ServerLimits{});
  while (true) {
    const Result<std::optional<http::RequestHead>> head = co_await connection.read_head();
    if (!head || !*head) co_return;
    const http::Response response = answer(**head);
    const bool goes_on = keeps_alive(services_, **head);
    const Result<> sent = co_await connection.respond(response, goes_on);
    if (!sent || !goes_on) co_return;
    const Result<> yielded = co_await net::yield();
    if (!yielded) co_return;
  }
}

http::Response AdminServer::answer(const http::RequestHead& head) const {
  const bool known = head.path == "/healthz" || head.path == "/readyz" || head.path == "/metrics";
  if (!known) return refusal(ErrorCode::NotFound, "there are /healthz, /readyz and /metrics");
  if (head.method != "GET") return refusal(ErrorCode::MethodNotAllowed, "only GET is allowed here");
  if (head.path == "/healthz") return text_response(kOk, kPlainText, "ok\n");
  if (head.path == "/readyz") return readiness(services_.stage.load());
  if (const AuditTrail* audit = services_.audit) {
    services_.metrics.audit_state(audit->is_failing(), audit->lost_lines());
  }
  services_.metrics.bytes_buffered(ws::held_bytes());
  return text_response(kOk, "text/plain; version=0.0.4; charset=utf-8",
                       services_.metrics.exposition());
}

}  // namespace sluice::gateway
