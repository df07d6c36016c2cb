// What goes out: error_response.h, status_response.h; and the token that comes in.
#include <gtest/gtest.h>

#include "gateway/bearer_token.h"
#include "gateway/error_response.h"
#include "gateway/status_response.h"

namespace sluice::gateway {
namespace {

http::Response answer(ErrorCode code, std::string message, std::string details = {}) {
  return error_response(Error{code, std::move(message), std::move(details), "secret cause", {}},
                        MissingWorkload::PlainText500);
}

TEST(ErrorResponse, BodyIsJsonWithCodeMessageAndDetails) {
  const http::Response plain = answer(ErrorCode::NotFound, "no pod \"x\"");
  EXPECT_EQ(plain.head.status, 404u);
  EXPECT_EQ(plain.body, R"({"code":404,"message":"no pod \"x\""})");
  EXPECT_EQ(plain.head.fields.find("Content-Type"), "application/json");
  EXPECT_EQ(answer(ErrorCode::Conflict, "a", "b").body,
            R"({"code":409,"message":"a","details":"b"})");
}

TEST(ErrorResponse, MissingTokenIsAnInvalidTokenToo) {
  const http::Response response = answer(ErrorCode::Unauthenticated, "no token");
  const auto challenge = response.head.fields.find("WWW-Authenticate");
  ASSERT_TRUE(challenge.has_value());
  EXPECT_TRUE(challenge->starts_with("Bearer error=\"invalid_token\", error_description=\""));
}

TEST(ErrorResponse, InvalidTokenSaysWhyInTheChallenge) {
  const http::Response response = answer(ErrorCode::Unauthenticated, "issuer \"x\" is unknown\n");
  EXPECT_EQ(response.head.status, 401u);
  EXPECT_EQ(response.head.fields.find("WWW-Authenticate"),
            "Bearer error=\"invalid_token\", error_description=\"issuer 'x' is unknown'\"");
}

TEST(ErrorResponse, FieldsThatStatusesCallFor) {
  EXPECT_EQ(answer(ErrorCode::MethodNotAllowed, "m").head.fields.find("Allow"), "GET");
  EXPECT_EQ(answer(ErrorCode::UpgradeRequired, "m").head.fields.find("Upgrade"), "websocket");
  EXPECT_TRUE(
      answer(ErrorCode::UpgradeRequired, "m").head.fields.has_token("Connection", "upgrade"));
  EXPECT_EQ(answer(ErrorCode::Unavailable, "m").head.fields.find("Retry-After"), "1");
  EXPECT_EQ(answer(ErrorCode::TooManySessions, "m").head.fields.find("Retry-After"), "1");
  const Error error{ErrorCode::Unavailable, "m", {}, {}, std::chrono::seconds(7)};
  EXPECT_EQ(error_response(error, MissingWorkload::Json404).head.fields.find("Retry-After"), "7");
}

TEST(ErrorResponse, MissingWorkloadIsPlainTextUnlessConfigured) {
  const Error error{ErrorCode::WorkloadNotFound, "no workload w", {}, {}, {}};
  const http::Response original = error_response(error, MissingWorkload::PlainText500);
  EXPECT_EQ(original.head.status, 500u);
  EXPECT_EQ(original.head.fields.find("Content-Type"), "text/plain; charset=utf-8");
  EXPECT_EQ(original.body, "no workload w\n");
  const http::Response proper = error_response(error, MissingWorkload::Json404);
  EXPECT_EQ(proper.head.status, 404u);
  EXPECT_EQ(proper.body, R"({"code":404,"message":"no workload w"})");
}

workload::ClusterStatus cluster(bool reachable, workload::FeatureState logs) {
  return {"local",
          "1",
          reachable,
          {},
          {{"logs", logs, logs == workload::FeatureState::Ok ? "" : "slow"}}};
}

TEST(StatusResponse, ClusterIsOkDegradedOrUnavailable) {
  EXPECT_EQ(cluster_status_response(cluster(true, workload::FeatureState::Ok), "0.1").body,
            R"({"status":"OK","version":"0.1","backend":{"kind":"local","version":"1"},)"
            R"("features":{"logs":{"state":"OK"}}})");
  const http::Response degraded =
      cluster_status_response(cluster(true, workload::FeatureState::Degraded), "0.1");
  EXPECT_EQ(degraded.head.status, 200u);
  EXPECT_EQ(degraded.body,
            R"({"status":"Degraded","version":"0.1","backend":{"kind":"local","version":"1"},)"
            R"("features":{"logs":{"state":"Degraded","message":"slow"}}})");
  const http::Response gone =
      cluster_status_response(cluster(false, workload::FeatureState::Unavailable), "0.1");
  EXPECT_EQ(gone.head.status, 503u);
  EXPECT_TRUE(gone.body.starts_with(R"({"status":"Unavailable","version":"0.1","code":503,)"
                                    R"("message":"the cluster is unreachable")"));
}

TEST(StatusResponse, WorkloadHasPhaseTwiceAndPodCounts) {
  const workload::WorkloadStatus status{
      {"p", workload::WorkloadType::Distributed, workload::Framework::PyTorch, "w"},
      "Running",
      "DistributedWorkload",
      "m",
      {2, 1, 0, 0, 1},
      {}};
  EXPECT_EQ(
      workload_status_response(status).body,
      R"({"status":"Running","phase":"Running","project":"p","name":"w","type":"distributed",)"
      R"("framework":"pytorch","kind":"DistributedWorkload","message":"m",)"
      R"("pods":{"total":2,"running":1,"pending":0,"succeeded":0,"failed":1}})");
}

TEST(StatusResponse, EntryOfAListLeavesOutWhatIsNotKnown) {
  workload::WorkloadStatus status;
  status.workload = {"p", workload::WorkloadType::Training, workload::Framework::Runai, "w"};
  status.phase = "Running";
  status.kind = "Job";
  status.pods = {1, 1, 0, 0, 0};
  EXPECT_EQ(workload_list_response({}).body, R"({"workloads":[]})");
  EXPECT_EQ(workload_list_response({status}).body,
            R"({"workloads":[{"name":"w","type":"training","framework":"runai","kind":"Job",)"
            R"("status":"Running","phase":"Running",)"
            R"("pods":{"total":1,"running":1,"pending":0,"succeeded":0,"failed":0}}]})");
  status.message = "m";
  status.created_at = WallTime(seconds(1767323045) + nanoseconds(6));
  EXPECT_EQ(json::serialize(workload_entry(status)),
            R"({"name":"w","type":"training","framework":"runai","kind":"Job",)"
            R"("status":"Running","phase":"Running","message":"m",)"
            R"("createdAt":"2026-01-02T03:04:05Z",)"
            R"("pods":{"total":1,"running":1,"pending":0,"succeeded":0,"failed":0}})");
}

TEST(StatusResponse, FirstPodIsTheDefaultAndItsRestartsAreItsContainers) {
  workload::PodStatus pod;
  pod.name = "w-0";
  pod.phase = "Running";
  pod.ready = true;
  pod.node = "n";
  pod.reason = "why";
  pod.created_at = WallTime(seconds(1767323045));
  pod.containers.resize(2);
  pod.containers[0].name = "main";
  pod.containers[0].state = workload::ContainerState::Terminated;
  pod.containers[0].is_default = true;
  pod.containers[0].restarts = 2;
  pod.containers[0].reason = "Error";
  pod.containers[0].exit_code = 0;
  pod.containers[0].started_at = WallTime(seconds(1767323046));
  pod.containers[1].name = "debug";
  pod.containers[1].role = workload::ContainerRole::Ephemeral;
  pod.containers[1].restarts = 1;
  workload::PodStatus other;
  other.name = "w-1";
  other.phase = "Pending";
  EXPECT_EQ(pod_list_response({pod, other}).body,
            R"({"pods":[{"name":"w-0","phase":"Running","ready":true,"default":true,"restarts":3,)"
            R"("node":"n","reason":"why","createdAt":"2026-01-02T03:04:05Z","containers":[)"
            R"({"name":"main","state":"terminated","role":"main","ready":false,"default":true,)"
            R"("restarts":2,"reason":"Error","exitCode":0,"startedAt":"2026-01-02T03:04:06Z"},)"
            R"({"name":"debug","state":"waiting","role":"ephemeral","ready":false,"default":false,)"
            R"("restarts":1}]},)"
            R"({"name":"w-1","phase":"Pending","ready":false,"default":false,"restarts":0,)"
            R"("containers":[]}]})");
  EXPECT_EQ(pod_list_response({}).body, R"({"pods":[]})");
}

TEST(BearerToken, WithoutOneTheMessageSaysWhere) {
  const auto token = find_bearer_token({.method = "GET", .path = "/", .query = "x=1"});
  EXPECT_EQ(token.error().message, "no token; use the header Authorization: Bearer <token>");
  EXPECT_EQ(token.error().reason, AuthenticationFailure::MissingToken);
}

TEST(BearerToken, InTheQueryItIsRefused) {
  const auto token =
      find_bearer_token({.method = "GET", .path = "/", .query = "a=b&access_token=x"});
  EXPECT_TRUE(token.error().message.starts_with("tokens in the query are refused"));
  EXPECT_EQ(token.error().reason, AuthenticationFailure::Malformed);
}

TEST(BearerToken, HeaderAndSubprotocolAreTaken) {
  http::RequestHead head;
  head.fields.add("Authorization", "Bearer abc");
  EXPECT_EQ(*find_bearer_token(head), "abc");
  http::RequestHead browser;
  browser.fields.add("Sec-WebSocket-Protocol",
                     "v5.channel.k8s.io, base64url.bearer.authorization.k8s.io.YWJj");
  EXPECT_EQ(*find_bearer_token(browser), "abc");
}

}  // namespace
}  // namespace sluice::gateway
