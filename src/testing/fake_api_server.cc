#include "testing/fake_api_server.h"

#include <cassert>

#include <fmt/format.h>

#include "base/text.h"
#include "testing/test_loop.h"
#include "ws/handshake.h"

namespace sluice::testing {
namespace {

using backend::kubernetes::ApiConnection;

constexpr std::string_view kEndOfHead = "\r\n\r\n";

std::string head_text(const http::ResponseHead& head) {
  std::string text =
      fmt::format("HTTP/1.1 {} {}\r\n", head.status, http::reason_phrase(head.status));
  for (const http::Field& field : head.fields) http::append_field(text, field.name, field.value);
  return text;
}

/// Takes what stands before `end` off the text, and `end` itself.
std::string take_until(std::string_view& text, std::string_view end) {
  const std::size_t at = std::min(text.find(end), text.size());
  std::string taken(text.substr(0, at));
  text.remove_prefix(std::min(at + end.size(), text.size()));
  return taken;
}

/// Our own client wrote it, so it is well formed.
ApiCall parse_head(std::string_view head) {
  ApiCall call;
  std::string line = take_until(head, "\r\n");
  std::string_view request_line = line;
  call.method = take_until(request_line, " ");
  const std::string target = take_until(request_line, " ");
  std::string_view rest = target;
  call.path = take_until(rest, "?");
  call.query = rest;
  while (!head.empty()) {
    line = take_until(head, "\r\n");
    std::string_view field = line;
    std::string name = take_until(field, ": ");
    call.fields.add(std::move(name), std::string(field));
  }
  return call;
}

ws::UpgradeRequest upgrade_request(const ApiCall& call) {
  return {call.fields.find_all("Upgrade"), call.fields.find_all("Connection"),
          call.fields.find_all("Sec-WebSocket-Version"), call.fields.find_all("Sec-WebSocket-Key")};
}

/// One more piece of the stream; false at its end.
net::Task<Result<bool>> read_more(net::Stream& stream, std::string& buffer) {
  std::array<std::byte, 4096> block;
  CO_TRY(const std::size_t count, co_await stream.read(block));
  buffer += as_text(Bytes(block).first(count));
  co_return count > 0;
}

/// nullopt: the client is done.
net::Task<Result<std::optional<ApiCall>>> read_call(net::Stream& stream, std::string& buffer) {
  while (!buffer.contains(kEndOfHead)) {
    CO_TRY(const bool more, co_await read_more(stream, buffer));
    if (!more) co_return std::nullopt;
  }
  const std::size_t head_size = buffer.find(kEndOfHead) + kEndOfHead.size();
  ApiCall call = parse_head(std::string_view(buffer).substr(0, head_size - 2));
  const auto length = parse_int64(call.fields.find("Content-Length").value_or("0"));
  const auto size = head_size + static_cast<std::size_t>(length.value_or(0));
  while (buffer.size() < size) {
    CO_TRY(const bool more, co_await read_more(stream, buffer));
    if (!more) co_return std::nullopt;
  }
  call.body = buffer.substr(head_size, size - head_size);
  buffer.erase(0, size);
  co_return call;
}

}  // namespace

void FakeBody::open(std::unique_ptr<net::Stream> stream) {
  stream_ = std::move(stream);
  const http::ResponseHead head{200, {}};
  send(head_text(head) + "Transfer-Encoding: chunked\r\n\r\n" + early_);
  if (cut_) stream_->close();
}

void FakeBody::send(std::string_view text) {
  if (!stream_) {
    early_ += text;
    return;
  }
  while (!text.empty()) {
    const Result<std::size_t> count = stream_->try_write(as_bytes(text));
    if (!count || *count == 0) return;  // the client is gone: is_dropped() says so
    text.remove_prefix(*count);
  }
}

void FakeBody::write(std::string_view bytes) {
  send(fmt::format("{:x}\r\n{}\r\n", bytes.size(), bytes));
}

void FakeBody::end() { send("0\r\n\r\n"); }

void FakeBody::cut() {
  cut_ = true;
  if (stream_) stream_->close();
}

bool FakeBody::is_dropped() {
  if (!stream_) return false;
  std::array<std::byte, 1> byte;
  const auto count = stream_->try_read(byte);
  return !count || *count == 0U;
}

FakeApiServer::FakeApiServer(net::EventLoop& loop, net::Timers& timers, Random& random)
    : loop_(loop), timers_(timers), random_(random), tasks_(loop.executor()) {}

FakeApiServer::~FakeApiServer() { close_idle_connections(); }

void FakeApiServer::close_idle_connections() {
  tasks_.cancel();
  run_until_empty(loop_, tasks_);
}

void FakeApiServer::break_connections() {
  for (const auto& pipe : pipes_) pipe->reset();
}

std::size_t FakeApiServer::bytes_under_way() const {
  std::size_t bytes = 0;
  for (const auto& pipe : pipes_) bytes += pipe->under_way_to_client();
  return bytes;
}

void FakeApiServer::on(const std::string& path, Handler handler) {
  handlers_[path] = std::move(handler);
}

void FakeApiServer::answer(const std::string& path, unsigned status, std::string body) {
  on(path, [status, body = std::move(body)](const ApiCall&) {
    http::Response response{{status, {}}, body};
    response.head.fields.add("Content-Type", "application/json");
    return response;
  });
}

std::shared_ptr<FakeBody> FakeApiServer::stream(const std::string& path) {
  const auto first = std::make_shared<FakeBody>();
  on(path, [body = first](const ApiCall&) mutable {
    std::shared_ptr<FakeBody> taken = std::move(body);
    return taken ? ApiAnswer(std::move(taken)) : ApiAnswer(Silence::Hang);
  });
  return first;
}

std::shared_ptr<FakeWebSocket> FakeApiServer::websocket(const std::string& path,
                                                        std::string subprotocol) {
  auto socket = std::make_shared<FakeWebSocket>();
  socket->subprotocol = std::move(subprotocol);
  on(path, [socket](const ApiCall&) { return socket; });
  return socket;
}

std::unique_ptr<net::Stream> FakeApiServer::connect() {
  pipes_.push_back(std::make_unique<MemoryPipe>(loop_, options_));
  tasks_.spawn("fake API server", serve(std::move(pipes_.back()->server)));
  return std::move(pipes_.back()->client);
}

net::Task<> FakeApiServer::serve(std::unique_ptr<net::Stream> stream) {
  std::string buffer;
  while (stream) {
    const Result<std::optional<ApiCall>> call = co_await read_call(*stream, buffer);
    if (!call || !*call) co_return;
    calls_.push_back(**call);
    ApiAnswer answer = answer_to(**call);
    const Result<> performed = co_await perform(**call, std::move(answer), stream);
    if (!performed) co_return;
  }
}

ApiAnswer FakeApiServer::answer_to(const ApiCall& call) {
  if (const auto handler = handlers_.find(call.path); handler != handlers_.end()) {
    return handler->second(call);
  }
  return http::Response{{404, {}},
                        R"({"kind":"Status","apiVersion":"v1","status":"Failure","code":404,)"
                        R"("message":"the server could not find the requested resource"})"};
}

net::Task<Result<>> FakeApiServer::perform(const ApiCall& call, ApiAnswer answer,
                                           std::unique_ptr<net::Stream>& stream) {
  if (const auto* response = std::get_if<http::Response>(&answer)) {
    std::string text = head_text(response->head);
    http::append_field(text, "Content-Length", std::to_string(response->body.size()));
    text += "\r\n" + response->body;
    co_return co_await stream->write(as_bytes(text));
  }
  if (const auto* body = std::get_if<std::shared_ptr<FakeBody>>(&answer)) {
    (*body)->open(std::move(stream));
    co_return Result<>{};
  }
  if (const auto* socket = std::get_if<std::shared_ptr<FakeWebSocket>>(&answer)) {
    co_return co_await upgrade(call, **socket, stream);
  }
  if (auto* recording = std::get_if<Recording>(&answer)) {
    co_return co_await replay(call, std::move(*recording), *stream);
  }
  if (std::get<Silence>(answer) == Silence::Hang) {
    std::string rest;
    CO_TRY_VOID(co_await read_more(*stream, rest));  // the client's end
  }
  co_return fail(ErrorCode::Unavailable, "closed");
}

/// As it was said, but that an upgrade is accepted by this client's key.
net::Task<Result<>> FakeApiServer::replay(const ApiCall& call, Recording recording,
                                          net::Stream& stream) {
  std::string& bytes = recording.bytes;
  constexpr std::string_view kAccept = "Sec-WebSocket-Accept: ";
  if (const std::size_t field = bytes.find(kAccept); field != std::string::npos) {
    CO_TRY(const std::string accept, ws::accept_upgrade(upgrade_request(call)));
    const std::size_t value = field + kAccept.size();
    bytes.replace(value, bytes.find("\r\n", value) - value, accept);
  }
  CO_TRY_VOID(co_await stream.write(as_bytes(bytes)));
  if (recording.ends) co_return fail(ErrorCode::Unavailable, "closed");
  std::string rest;
  CO_TRY_VOID(co_await read_more(stream, rest));  // the client's end
  co_return fail(ErrorCode::Unavailable, "closed");
}

net::Task<Result<>> FakeApiServer::upgrade(const ApiCall& call, FakeWebSocket& socket,
                                           std::unique_ptr<net::Stream>& stream) {
  CO_TRY(std::string accept, ws::accept_upgrade(upgrade_request(call)));
  http::ResponseHead head{101, {}};
  head.fields.add("Upgrade", "websocket");
  head.fields.add("Connection", "Upgrade");
  head.fields.add("Sec-WebSocket-Accept", std::move(accept));
  if (!socket.subprotocol.empty()) head.fields.add("Sec-WebSocket-Protocol", socket.subprotocol);
  const std::string text = head_text(head) + "\r\n";
  CO_TRY_VOID(co_await stream->write(as_bytes(text)));
  const ws::Connection::Options options{.role = ws::Role::Server};
  socket.connection = std::make_unique<ws::Connection>(loop_.executor(), std::move(stream), options,
                                                       timers_, random_, std::string());
  co_return Result<>{};
}

net::Task<Result<ApiConnection>> FakeClusterAccess::connect() {
  if (failure) co_return fail(*failure);
  ApiConnection connection{server_.connect(), "cluster.test", path_prefix};
  co_return connection;
}

net::Task<Result<ApiConnection>> FakeClusterAccess::connect_node(std::string address) {
  if (failure) co_return fail(*failure);
  ApiConnection connection{server_.connect(), std::move(address), {}};
  co_return connection;
}

net::Task<Result<std::optional<std::string>>> FakeClusterAccess::authorization() {
  co_return token;
}

}  // namespace sluice::testing
