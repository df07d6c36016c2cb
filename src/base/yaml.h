// Strict reading of YAML configuration: each value is asked for by key and type, and what nobody asked
// for is an error. Confines yaml-cpp. Errors are InvalidArgument and read
// "sluiced.yaml:12: sessions.pingInterval: expected a duration such as 30s, got \"soon\"".
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"

namespace YAML {
class Node;
}

namespace sluice::yaml {

class Mapping;

/// One value in the document, with its place. Cheap to copy; keeps the document alive.
class Value {
 public:
  Value(std::shared_ptr<const YAML::Node> node, std::string file, std::string path);

  Result<std::string> as_string() const;
  Result<bool> as_bool() const;
  Result<std::int64_t> as_int64(std::int64_t min, std::int64_t max) const;
  Result<nanoseconds> as_duration() const;
  Result<std::vector<Value>> as_list() const;
  /// A list of strings, or one string as a list of one.
  Result<std::vector<std::string>> as_strings() const;
  Result<Mapping> as_mapping() const;

  bool is_list() const;
  bool is_mapping() const;
  /// "file:line: path: problem", as an InvalidArgument.
  Error error(std::string_view problem) const;
  const std::string& path() const { return path_; }

 private:
  std::shared_ptr<const YAML::Node> node_;
  std::string file_;
  std::string path_;
};

/// A mapping whose keys are taken one by one; finish() refuses what is left, with the nearest known key.
class Mapping {
 public:
  explicit Mapping(Value value, std::vector<std::pair<std::string, Value>> entries);

  /// Takes the key; nullopt when absent.
  std::optional<Value> take(std::string_view key);
  /// Takes the key; when absent an error at the line of this mapping that names the key.
  Result<Value> require(std::string_view key);
  /// Takes all keys that are left, in file order (for maps with free keys such as env).
  std::vector<std::pair<std::string, Value>> take_rest();
  /// Error when a key was never taken.
  Result<> finish() const;
  Error error(std::string_view problem) const { return value_.error(problem); }

 private:
  struct Entry {
    std::string key;
    Value value;
    bool taken = false;
  };
  Value value_;
  std::vector<Entry> entries_;
  std::vector<std::string> known_keys_;
};

/// Parses one document. Refuses duplicate keys, aliases that expand beyond 10,000 nodes, and nesting
/// beyond 32. An empty document is an empty mapping.
Result<Value> parse(std::string_view text, std::string file);
/// Reads and parses; an unreadable file is "FILE: cannot be read: <reason>".
Result<Value> parse_file(const std::string& path);

}  // namespace sluice::yaml
