#include "backend/kubernetes/api/api_status.h"

#include <gtest/gtest.h>

namespace sluice::backend::kubernetes {
namespace {

http::Response response(unsigned status, std::string body) {
  return {{status, {}}, std::move(body)};
}

TEST(ApiStatus, StatusObjectsMessageIsTheErrors) {
  const Error error = error_of(response(404, R"({"kind":"Status","apiVersion":"v1","metadata":{},
      "status":"Failure","message":"pods \"a\" not found","reason":"NotFound","code":404})"));
  EXPECT_EQ(error.code, ErrorCode::NotFound);
  EXPECT_EQ(error.message, "pods \"a\" not found");
}

TEST(ApiStatus, EachStatusHasItsCode) {
  const std::pair<unsigned, ErrorCode> expected[] = {
      {400, ErrorCode::InvalidArgument},  {422, ErrorCode::InvalidArgument},
      {403, ErrorCode::PermissionDenied}, {404, ErrorCode::NotFound},
      {410, ErrorCode::Conflict},         {409, ErrorCode::Conflict},
      {401, ErrorCode::Unavailable},      {429, ErrorCode::Unavailable},
      {500, ErrorCode::Unavailable},      {503, ErrorCode::Unavailable},
      {302, ErrorCode::Unavailable},
  };
  for (const auto& [status, code] : expected) {
    EXPECT_EQ(error_of(response(status, "")).code, code) << status;
  }
}

TEST(ApiStatus, RefusalOfOurOwnCredentialsTellsTheClientNothingAboutThem) {
  const Error error = error_of(response(401, R"({"message":"token of serviceaccount x expired"})"));
  EXPECT_EQ(error.message, "the cluster does not accept the gateway's credentials");
  EXPECT_NE(error.cause.find("serviceaccount x"), std::string::npos);
}

TEST(ApiStatus, BodyThatIsNoStatusObjectIsTolerated) {
  EXPECT_EQ(error_of(response(502, "bad gateway")).message, "bad gateway");
  for (const std::string body : {"", "{}", "[]", "{\"message\":7}", "\xFF\xFE"}) {
    EXPECT_EQ(error_of(response(502, body)).message,
              "the cluster's API server answered with status 502")
        << body;
  }
  EXPECT_LE(error_of(response(500, std::string(9000, 'x'))).message.size(), 1024U);
}

TEST(ApiStatus, RetryAfterIsPassedOn) {
  http::Response busy = response(429, "");
  busy.head.fields.add("Retry-After", "7");
  EXPECT_EQ(error_of(busy).retry_after, std::chrono::seconds(7));
  EXPECT_EQ(error_of(response(429, "")).retry_after, std::nullopt);
}

}  // namespace
}  // namespace sluice::backend::kubernetes
