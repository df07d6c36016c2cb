// The configuration file, read and checked as a whole (docs/operate/configuration.md explains each
// key). An error names file, line and key, and says what would be right.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <type_traits>
#include <variant>
#include <vector>

#include "auth/config.h"
#include "backend/kubernetes/config.h"
#include "base/yaml.h"
#include "gateway/settings.h"
#include "net/listener.h"
#include "observe/audit_trail.h"
#include "observe/log.h"
#include "recording/recorder.h"

namespace sluice::sluiced {

struct TlsFiles {
  std::string certificate;
  std::string key;
};

struct AuditConfig {
  AuditFileOptions file;
  AuditTrail::OnFailure on_failure = AuditTrail::OnFailure::Report;
};

struct RecordingConfig {
  std::string folder;
  auth::PolicyConfig rules;  // what they allow is recorded
  recording::RecorderOptions options;
};

struct LocalBackendFiles {
  std::string workloads;
  std::string state_dir;
};

/// A file that a key names; to say so when it can't be read.
struct NamedFile {
  yaml::Value key;
  std::string path;
};

struct Config {
  std::string file;
  std::vector<NamedFile> named_files;
  std::vector<net::ListenAddress> listen;  // at least one
  std::optional<TlsFiles> tls;
  std::optional<net::ListenAddress> admin;
  auth::AuthConfig auth;
  /// Absent: the cluster's RBAC decides.
  std::optional<auth::PolicyConfig> policy;
  std::variant<LocalBackendFiles, backend::kubernetes::KubernetesConfig> backend;
  gateway::Settings gateway;
  std::optional<std::size_t> max_connections;  // absent: what the limit of open files allows
  std::optional<AuditConfig> audit;            // absent: no audit trail is kept
  std::optional<RecordingConfig> recording;
  LogLevel log_level = LogLevel::Info;
  LogFormat log_format = LogFormat::Json;
  unsigned threads = 0;  // event loops; 0: one a core
};

/// Reads the file; paths in it are relative to it. Looks at no other file. Errors: InvalidArgument.
Result<Config> read_config(const std::string& path);
/// The same of a text, as if it stood in `path`.
Result<Config> parse_config(std::string_view text, const std::string& path);

/// Whether the files that it names are there and can be read. Errors: InvalidArgument, at the key.
Result<> check_named_files(const Config& config);

/// An error about the content of one of `files`, with the key that names the file before it; any
/// other error as it is.
Error at_key(std::span<const NamedFile> files, Error error);

/// The sections that have a source file of their own, config_audit.cc, config_recording.cc,
/// config_backend.cc and config_auth.cc, in the order in which they are read into `config`.
Result<> read_audit(const yaml::Value& section, Config& config);
Result<> read_recording(const yaml::Value& section, Config& config);
Result<> read_backend(const yaml::Value& section, Config& config);
Result<> read_auth(const yaml::Value& section, Config& config);
Result<> read_authorization(const yaml::Value& section, Config& config);

/// A list of who may do what: the form that authorization and recording share.
Result<auth::PolicyConfig> read_rules(const yaml::Value& list);

/// A whole number from `least` to `most`. Leaves `out` alone where the key is missing.
Result<> take_number(yaml::Mapping& map, std::string_view key, std::int64_t least,
                     std::int64_t most, auto& out) {
  const std::optional<yaml::Value> value = map.take(key);
  if (!value) return {};
  TRY(const std::int64_t number, value->as_int64(least, most));
  out = static_cast<std::remove_reference_t<decltype(out)>>(number);
  return {};
}

/// From `least` to kLongestDuration. Leaves `out` alone where the key is missing.
Result<> take_duration(yaml::Mapping& map, std::string_view key, nanoseconds least,
                       nanoseconds& out);
/// `value` must be one of the names; returns which.
Result<std::size_t> read_choice(const yaml::Value& value, std::span<const std::string_view> names);

/// A path in the configuration, relative to the file it stands in; ~/ is the home directory.
Result<std::string> read_path(const yaml::Value& value, const Config& config);
/// The same, of a file that must be there.
Result<std::string> read_named_file(const yaml::Value& value, Config& config);

}  // namespace sluice::sluiced
