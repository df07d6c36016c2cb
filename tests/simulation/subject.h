// Subject: one kind of session in the simulation: what its client says, what happens in its pod,
// and what must hold of the bytes between the two at any time.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "session/session.h"
#include "simulation/dice.h"

namespace sluice::simulation {

/// What may be under way inside a session, in each direction of each stream: its own buffers and
/// those of its WebSocket.
inline constexpr std::size_t kMostBufferedBytes = 2_MiB;

class Subject {
 public:
  virtual ~Subject() = default;

  /// The session, on the streams of this subject; once.
  virtual net::Task<session::SessionEnd> run(session::SessionContext context,
                                             ws::Connection& socket) = 0;
  /// The client's next message.
  virtual std::string say(Dice& dice) = 0;
  /// The client got a message.
  virtual void hear(std::string_view message) = 0;
  /// Something happens in the pod.
  virtual void act(Dice& dice) = 0;
  /// The pod is deleted.
  virtual void delete_pod() = 0;
  /// Nothing holds anything up any more, and the target ends.
  virtual void finish() = 0;

  /// Bytes that the session has taken from the pod and its client has not got.
  virtual std::size_t buffered_output() const = 0;
  /// Fails the test if what arrived is not the beginning of what was sent, in each direction.
  virtual void check_order() const = 0;
  /// Fails the test if output is missing, after an end that promises all of it.
  virtual void check_all_output() const = 0;
  /// Fails the test if input is missing, after the client's Close was echoed.
  virtual void check_all_input() const = 0;
};

std::unique_ptr<Subject> make_log(net::Executor executor, Dice& dice);
std::unique_ptr<Subject> make_process(net::Executor executor, Dice& dice);
std::unique_ptr<Subject> make_ports(net::Executor executor, Dice& dice);

}  // namespace sluice::simulation
