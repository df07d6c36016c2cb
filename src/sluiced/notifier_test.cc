#include "sluiced/notifier.h"

#include <sys/socket.h>
#include <sys/un.h>

#include <cstring>

#include <gtest/gtest.h>

#include "base/unique_fd.h"
#include "testing/temporary_folder.h"

namespace sluice::sluiced {
namespace {

/// A service manager's socket.
class Manager {
 public:
  explicit Manager(const std::string& name) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::memcpy(address.sun_path, name.data(), name.size());
    if (name.starts_with('@')) address.sun_path[0] = '\0';
    const std::size_t ends = name.starts_with('@') ? 0 : 1;  // the NUL of a path
    const auto length =
        static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + name.size() + ends);
    EXPECT_EQ(::bind(socket_.get(), reinterpret_cast<const sockaddr*>(&address), length), 0);
  }
  std::string heard() const {
    char text[100];
    const ssize_t size = ::recv(socket_.get(), text, sizeof text, MSG_DONTWAIT);
    return size < 0 ? "nothing" : std::string(text, static_cast<std::size_t>(size));
  }

 private:
  UniqueFd socket_{::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0)};
};

TEST(Notifier, TellsASocketOfTheFileSystem) {
  const testing::TemporaryFolder folder;
  const Manager manager(folder / "notify");
  Notifier(folder / "notify").tell("READY=1");
  EXPECT_EQ(manager.heard(), "READY=1");
}

TEST(Notifier, TellsASocketWithAnAbstractName) {
  const std::string name = "@sluice-test-" + std::to_string(::getpid());
  const Manager manager(name);
  Notifier(name).tell("MAINPID=1");
  EXPECT_EQ(manager.heard(), "MAINPID=1");
}

TEST(Notifier, ToldNobodyWhereThereIsNobody) {
  Notifier("").tell("READY=1");
  Notifier("/nonexistent/notify").tell("READY=1");
  Notifier(std::string(200, 'x')).tell("READY=1");
}

}  // namespace
}  // namespace sluice::sluiced
