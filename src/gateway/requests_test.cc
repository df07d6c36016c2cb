// The options of each verb: log_request.h, stream_request.h, exec_request.h,
// port_forward_request.h, list_request.h.
#include <gtest/gtest.h>

#include "base/base64.h"
#include "gateway/exec_request.h"
#include "gateway/list_request.h"
#include "gateway/log_request.h"
#include "gateway/port_forward_request.h"

namespace sluice::gateway {
namespace {

constexpr WallTime kNow = std::chrono::sys_days(std::chrono::year(2026) / 6 / 1);

std::string message_of(const auto& result) { return result ? "no error" : result.error().message; }

Result<LogRequest> log_request(std::string_view raw, LogDelivery delivery = LogDelivery::Stream) {
  return parse_log_request(raw, delivery, kNow);
}

Result<PortForwardRequest> port_request(std::string_view raw) {
  return parse_port_forward_request(raw);
}

Result<ExecRequest> exec_request(std::string_view raw, const http::FieldMap& fields = {}) {
  return parse_exec_request(raw, fields);
}

std::string command_field(std::string_view json) {
  return "command=" + base64url_encode(as_bytes(json));
}

TEST(LogRequest, Defaults) {
  const LogRequest request = *log_request("pod=&container=");
  EXPECT_TRUE(request.target.pod.empty());
  EXPECT_FALSE(request.options.follow);
  EXPECT_FALSE(request.options.previous);
  EXPECT_FALSE(request.options.timestamps);
  EXPECT_FALSE(request.options.since);
  EXPECT_FALSE(request.options.tail_lines);
  EXPECT_FALSE(request.options.limit_bytes);
}

TEST(LogRequest, AllFields) {
  const LogRequest request = *log_request(
      "pod=p&container=c&follow=1&previous=t&timestamps=True&sinceSeconds=2m&tailLines=0&"
      "limitBytes=1");
  EXPECT_EQ(request.target.pod, "p");
  EXPECT_EQ(request.target.container, "c");
  EXPECT_TRUE(request.options.follow);
  EXPECT_TRUE(request.options.previous);
  EXPECT_TRUE(request.options.timestamps);
  EXPECT_EQ(request.options.since, kNow - std::chrono::minutes(2));
  EXPECT_EQ(request.options.tail_lines, 0u);
  EXPECT_EQ(request.options.limit_bytes, 1u);
}

TEST(LogRequest, SinceTimeKeepsItsFraction) {
  EXPECT_EQ(log_request("sinceTime=2026-05-31T23:59:59.123456789Z")->options.since,
            kNow - seconds(1) + nanoseconds(123'456'789));
}

TEST(LogRequest, SinceTimeGoesOnlyWithSinceSecondsOfZero) {
  EXPECT_TRUE(log_request("sinceTime=2026-05-31T23:59:59Z&sinceSeconds=0"));
  EXPECT_EQ(message_of(log_request("sinceTime=2026-05-31T23:59:59Z&sinceSeconds=1s")),
            "query fields sinceSeconds and sinceTime: only one of them may be given");
}

TEST(LogRequest, MinusOneTailIsAll) {
  EXPECT_FALSE(log_request("tailLines=-1")->options.tail_lines);
}

TEST(LogRequest, AllOfTimeIsNoOverflow) {
  EXPECT_TRUE(log_request("sinceSeconds=9223372036854775807"));
}

TEST(LogRequest, BadValuesNameTheField) {
  const std::pair<const char*, const char*> cases[] = {
      {"sinceSeconds=-1", "query field sinceSeconds: must be a duration"},
      {"tailLines=-2", "query field tailLines: must be a whole number of at least -1, got \"-2\""},
      {"limitBytes=0", "query field limitBytes: must be a whole number of at least 1, got \"0\""},
      {"follow=maybe", "query field follow: must be true or false"},
      {"previous=", "query field previous: must be true or false"},
      {"timestamps=2", "query field timestamps: must be true or false"},
      {"sinceTime=now", "query field sinceTime: must be an RFC 3339 time"},
      {"pod=a&pod=b", "query field pod: given more than once"},
      {"container=a&container=a", "query field container: given more than once"},
  };
  for (const auto& [raw, message] : cases) {
    EXPECT_TRUE(message_of(log_request(raw)).starts_with(message))
        << raw << message_of(log_request(raw));
  }
}

TEST(LogRequest, FollowIsUnknownToADownload) {
  EXPECT_FALSE(log_request("follow=maybe&follow=1", LogDelivery::Download)->options.follow);
}

TEST(PortForwardRequest, PortsComeInOrderAlsoTwice) {
  EXPECT_EQ(port_request("port=80&port=443&port=80")->ports,
            (std::vector<std::uint16_t>{80, 443, 80}));
}

TEST(PortForwardRequest, BadPortsAreNamed) {
  EXPECT_EQ(message_of(port_request("container=c")),
            "query field port: is missing; give at least one");
  EXPECT_EQ(message_of(port_request("port=80,81")),
            "query field port: takes one port, got \"80,81\"; give several as port=1&port=2");
  for (const char* port : {"0", "65536", "", "http", "-1", "8%2C9"}) {
    EXPECT_FALSE(port_request(std::string("port=") + port)) << port;
  }
}

TEST(PortForwardRequest, SixteenPortsAtMost) {
  std::string raw;
  for (int i = 0; i < 16; ++i) raw += "port=80&";
  EXPECT_TRUE(port_request(raw));
  EXPECT_EQ(message_of(port_request(raw + "port=80")), "query field port: at most 16, got 17");
}

TEST(PortForwardRequest, HalfClose) {
  EXPECT_EQ(port_request("port=1&halfClose=empty")->empty_message,
            session::EmptyMessage::EndsInput);
  EXPECT_FALSE(port_request("port=1&halfClose=yes"));
}

TEST(ExecRequest, Defaults) {
  const ExecRequest request = *exec_request(command_field(R"(["ls"])"));
  EXPECT_EQ(request.command, std::vector<std::string>{"ls"});
  EXPECT_FALSE(request.streams.options.stdin);
  EXPECT_TRUE(request.streams.options.stdout);
  EXPECT_TRUE(request.streams.options.stderr);
  EXPECT_FALSE(request.streams.options.tty);
  EXPECT_FALSE(request.streams.options.size);
  EXPECT_EQ(request.streams.empty_message, session::EmptyMessage::IsNothing);
  EXPECT_EQ(request.on_disconnect, backend::OnDisconnect::Terminate);
}

TEST(ExecRequest, AllFields) {
  const ExecRequest request =
      *exec_request(command_field(R"(["sh","-c","x y"])") +
                    "&pod=p&container=c&stdin=true&stdout=false&stderr=0&tty=1&columns=132&rows=50"
                    "&stdinEof=empty&onDisconnect=leave");
  EXPECT_EQ(request.command, (std::vector<std::string>{"sh", "-c", "x y"}));
  EXPECT_EQ(request.streams.target.pod, "p");
  EXPECT_TRUE(request.streams.options.stdin);
  EXPECT_FALSE(request.streams.options.stdout);
  EXPECT_EQ(request.streams.options.size->width, 132);
  EXPECT_EQ(request.streams.options.size->height, 50);
  EXPECT_EQ(request.streams.empty_message, session::EmptyMessage::EndsInput);
  EXPECT_EQ(request.on_disconnect, backend::OnDisconnect::Leave);
}

TEST(ExecRequest, OneSideOfTheTerminalKeepsItsDefault) {
  EXPECT_EQ(exec_request(command_field(R"(["a"])") + "&columns=100")->streams.options.size->height,
            24);
}

TEST(ExecRequest, CommandTakesBothAlphabetsPaddedOrNot) {
  const std::string json = R"(["echo","??>>~~"])";
  std::string standard = base64_encode(as_bytes(json));
  ASSERT_NE(standard.find_first_of("+/"), std::string::npos);
  std::vector<std::string> forms = {standard, base64url_encode(as_bytes(json))};
  while (standard.ends_with('=')) standard.pop_back();
  forms.push_back(standard);
  for (const std::string& form : forms) {
    EXPECT_EQ(message_of(exec_request("command=" + form)), "no error") << form;
  }
}

TEST(ExecRequest, EachFailureOfTheCommandHasItsOwnMessage) {
  const std::pair<std::string, const char*> cases[] = {
      {"", "command: is missing"},
      {"command=", "command: is empty"},
      {"command=***", "command: is not valid base64"},
      {"command=aGk", "command: the decoded text is not valid JSON"},
      {command_field("{}"), "command: the decoded JSON is not an array"},
      {command_field("[]"), "command: the array is empty; it needs at least the program"},
      {command_field("[\"ls\",1]"), "command: the array holds something that is not a string"},
      {command_field("[\"\"]"), "command: the program (the first string) is empty"},
      {command_field(R"(["a\u0000b"])"),
       "command: a string holds a NUL byte, which no program can be given"},
  };
  for (const auto& [raw, message] : cases) EXPECT_EQ(message_of(exec_request(raw)), message) << raw;
}

TEST(ExecRequest, CommandMayComeInTheHeader) {
  http::FieldMap fields;
  fields.add("command", base64_encode(as_bytes(R"(["ls"])")));
  EXPECT_EQ(exec_request("", fields)->command, std::vector<std::string>{"ls"});
  EXPECT_EQ(message_of(exec_request(command_field("[ \"ls\" ]"), fields)), "no error");
  EXPECT_EQ(message_of(exec_request(command_field(R"(["pwd"])"), fields)),
            "command: the query and the header Command differ; one of them is enough");
  fields.add("Command", "x");
  EXPECT_EQ(message_of(exec_request("", fields)),
            "command: the header Command is given more than once");
}

TEST(ExecRequest, BadValuesNameTheField) {
  const std::string command = command_field(R"(["ls"])");
  const std::pair<const char*, const char*> cases[] = {
      {"&stdout=false&stderr=false",
       "query fields stdin, stdout and stderr: at least one of them must be true"},
      {"&tty=x", "query field tty: must be true or false"},
      {"&stdin=", "query field stdin: must be true or false"},
      {"&columns=0", "query field columns: must be a whole number from 1 to 65535"},
      {"&rows=65536", "query field rows: must be a whole number from 1 to 65535"},
      {"&stdinEof=yes", "query field stdinEof: must be \"empty\" or absent"},
      {"&onDisconnect=kill", "query field onDisconnect: must be \"leave\" or absent"},
      {"&command=x", "query field command: given more than once"},
  };
  for (const auto& [raw, message] : cases) {
    EXPECT_TRUE(message_of(exec_request(command + raw)).starts_with(message)) << raw;
  }
}

TEST(ListRequest, TypeAndNameMayBeGiven) {
  const ListRequest all = *parse_list_request("name=&unknown=1");
  EXPECT_FALSE(all.type);
  EXPECT_EQ(all.name, "");
  const ListRequest some = *parse_list_request("type=inference&name=x");
  EXPECT_EQ(some.type, workload::WorkloadType::Inference);
  EXPECT_EQ(some.name, "x");
}

TEST(ListRequest, UnknownTypeIsAnsweredWithThoseThereAre) {
  EXPECT_EQ(message_of(parse_list_request("type=job")),
            "query field type: must be workspace, training, distributed, inference or external, "
            "got \"job\"");
  EXPECT_FALSE(parse_list_request("type="));
  EXPECT_FALSE(parse_list_request("type=training&type=training"));
  EXPECT_FALSE(parse_list_request("name=a&name=b"));
}

TEST(ListRequest, SelectsExactlyAndSortsByTypeThenNameThenFramework) {
  using workload::Framework;
  using workload::WorkloadType;
  std::vector<workload::WorkloadStatus> all(5);
  all[0].workload = {"p", WorkloadType::Workspace, Framework::Runai, "a"};
  all[1].workload = {"p", WorkloadType::Distributed, Framework::TensorFlow, "b"};
  all[2].workload = {"p", WorkloadType::Distributed, Framework::Mpi, "b"};
  all[3].workload = {"p", WorkloadType::Training, Framework::Runai, "b"};
  all[4].workload = {"p", WorkloadType::Distributed, Framework::XGBoost, "ab"};
  const auto names = [&](const ListRequest& request) {
    std::string text;
    for (const auto& [ref, phase, kind, message, pods, created] : select(all, request)) {
      text += std::string(to_string(ref.type)) + "/" + std::string(to_string(ref.framework)) + "/" +
              ref.name + " ";
    }
    return text;
  };
  EXPECT_EQ(names({}),
            "distributed/xgboost/ab distributed/mpi/b distributed/tf/b training/runai/b "
            "workspace/runai/a ");
  EXPECT_EQ(names({.type = WorkloadType::Training, .name = {}}), "training/runai/b ");
  EXPECT_EQ(names({.type = {}, .name = "b"}),
            "distributed/mpi/b distributed/tf/b training/runai/b ");
  EXPECT_EQ(names({.type = WorkloadType::Workspace, .name = "b"}), "");
}

}  // namespace
}  // namespace sluice::gateway
