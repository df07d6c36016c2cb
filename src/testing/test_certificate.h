// A self-signed certificate for "localhost" and 127.0.0.1, made anew: tests keep no key in the
// tree.
#pragma once

#include <string>

namespace sluice::testing {

struct TestCertificate {
  std::string certificate_pem;
  std::string key_pem;
};

TestCertificate make_test_certificate();

}  // namespace sluice::testing
