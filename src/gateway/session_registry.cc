#include "gateway/session_registry.h"

#include <utility>

namespace sluice::gateway {
namespace {

session::SessionEnd shutting_down() {
  session::SessionEnd end;
  end.kind = session::SessionEndKind::ShuttingDown;
  end.reason = "server shutting down";
  return end;
}

}  // namespace

SessionRegistry::Position SessionRegistry::add(net::Executor executor, SessionKind kind,
                                               const ws::Connection* socket) {
  metrics_.session_started(kind);
  const Position entry = entries_.emplace(entries_.end(), executor, kind, socket);
  if (interrupted_) entry->interruption.interrupt(shutting_down());
  return entry;
}

void SessionRegistry::remove(Position entry) {
  count(*entry);
  entries_.erase(entry);
}

void SessionRegistry::interrupt_all() {
  interrupted_ = true;
  for (Entry& entry : entries_) entry.interruption.interrupt(shutting_down());
}

void SessionRegistry::wall_clock_set() {
  for (Entry& entry : entries_) entry.interruption.wall_clock_set();
}

void SessionRegistry::count_bytes() {
  for (Entry& entry : entries_) count(entry);
}

void SessionRegistry::count(Entry& entry) {
  if (entry.socket_ == nullptr) return;
  const std::uint64_t received = entry.socket_->bytes_received();
  const std::uint64_t sent = entry.socket_->bytes_sent();
  metrics_.session_bytes(entry.kind_, received - std::exchange(entry.received_counted_, received),
                         sent - std::exchange(entry.sent_counted_, sent));
}

}  // namespace sluice::gateway
