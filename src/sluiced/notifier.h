// Notifier: tells the service manager how sluiced is doing, by the protocol of sd_notify(3):
// datagrams to the socket that NOTIFY_SOCKET names. Without one it says nothing.
#pragma once

#include <string>
#include <string_view>

namespace sluice::sluiced {

class Notifier {
 public:
  /// A path, or a name in the abstract namespace after '@'; empty: nobody is told.
  explicit Notifier(std::string socket) : socket_(std::move(socket)) {}
  static Notifier from_environment();

  /// "READY=1", "STOPPING=1", "MAINPID=4711". That it can't be told is logged.
  void tell(std::string_view state) const;

 private:
  std::string socket_;
};

}  // namespace sluice::sluiced
