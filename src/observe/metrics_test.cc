#include "observe/metrics.h"

#include <gmock/gmock.h>

namespace sluice {
namespace {

using testing::HasSubstr;
using testing::Not;

TEST(Metrics, RequestsAreCountedByEndpointAndStatus) {
  Metrics metrics;
  metrics.request_served(Endpoint::Exec, 101, milliseconds(2));
  metrics.request_served(Endpoint::Exec, 101, milliseconds(2));
  metrics.request_served(Endpoint::Unknown, 404, milliseconds(2));
  const std::string text = metrics.exposition();
  EXPECT_THAT(text, HasSubstr("sluice_requests_total{endpoint=\"exec\",status=\"101\"} 2"));
  EXPECT_THAT(text, HasSubstr("sluice_requests_total{endpoint=\"unknown\",status=\"404\"} 1"));
  EXPECT_THAT(text, HasSubstr("sluice_request_duration_seconds_count{endpoint=\"exec\"} 2"));
  EXPECT_THAT(text, HasSubstr("endpoint=\"exec\",le=\"0.0025\"} 2"));
}

TEST(Metrics, UnusualNumbersShareOneLabel) {
  Metrics metrics;
  for (unsigned status = 600; status < 700; ++status) {
    metrics.request_served(Endpoint::Logs, status, {});
  }
  metrics.session_started(SessionKind::Logs);
  metrics.session_ended({.kind = SessionKind::Logs, .close_code = 4711});
  EXPECT_THAT(metrics.exposition(),
              HasSubstr("sluice_requests_total{endpoint=\"logs\",status=\"other\"} 100"));
  EXPECT_THAT(metrics.exposition(),
              HasSubstr("sluice_session_closes_total{code=\"other\",kind=\"logs\"} 1"));
}

TEST(Metrics, SessionsRiseAndFall) {
  Metrics metrics;
  metrics.session_started(SessionKind::Exec);
  EXPECT_THAT(metrics.exposition(), HasSubstr("sluice_sessions{kind=\"exec\"} 1"));
  metrics.session_bytes(SessionKind::Exec, 10, 20);
  metrics.session_ended({SessionKind::Exec, seconds(2), 7, 1000});
  const std::string text = metrics.exposition();
  EXPECT_THAT(text, HasSubstr("sluice_sessions{kind=\"exec\"} 0"));
  EXPECT_THAT(text, HasSubstr("sluice_upgrades_total{kind=\"exec\"} 1"));
  EXPECT_THAT(text, HasSubstr("sluice_session_received_bytes_total{kind=\"exec\"} 10"));
  EXPECT_THAT(text, HasSubstr("sluice_session_sent_bytes_total{kind=\"exec\"} 20"));
  EXPECT_THAT(text, HasSubstr("sluice_log_lines_sent_total 7"));
  EXPECT_THAT(text, HasSubstr("sluice_session_closes_total{code=\"1000\",kind=\"exec\"} 1"));
  EXPECT_THAT(text, HasSubstr("sluice_session_duration_seconds_sum{kind=\"exec\"} 2"));
}

TEST(Metrics, AllLabelsOfSmallSetsShowFromTheStart) {
  const std::string text = Metrics().exposition();
  EXPECT_THAT(text, HasSubstr("sluice_authentication_failures_total{reason=\"expired\"} 0"));
  EXPECT_THAT(text, HasSubstr("sluice_key_fetches_total{outcome=\"failed\"} 0"));
  EXPECT_THAT(text, Not(HasSubstr("status=\"200\"")));
}

}  // namespace
}  // namespace sluice
