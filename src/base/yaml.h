// Strict reading of YAML configuration: each value is asked for by key and type, and what nobody
// asked for is an error. Confines yaml-cpp. Errors are InvalidArgument and read "sluiced.yaml:12:
// sessions.max: expected a whole number from 1 to 10000000, got \"0\"".
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
  /// `key_line` is that of the key it stands under; of what has none, its own.
  Value(std::shared_ptr<const YAML::Node> node, std::string file, std::string path, int line,
        int key_line);

  /// Any scalar as it is written; an empty value ("key:") is an error.
  Result<std::string> as_string() const;
  /// Only `true` and `false`.
  Result<bool> as_bool() const;
  Result<std::int64_t> as_int64(std::int64_t min, std::int64_t max) const;
  /// As Go's time.ParseDuration, not negative, at most kLongestDuration.
  Result<nanoseconds> as_duration() const;
  Result<std::vector<Value>> as_list() const;
  /// A list's values, or the one value as a list of one.
  Result<std::vector<Value>> as_items() const;
  /// A list of strings, or one string as a list of one.
  Result<std::vector<std::string>> as_strings() const;
  Result<Mapping> as_mapping() const;

  bool is_list() const;
  bool is_mapping() const;
  /// "file:line: path: problem", as an InvalidArgument.
  Error error(std::string_view problem) const;
  /// The same at the line of its key, which is above the value's when that begins on a line of its
  /// own: for what is wrong with the key, or with the value as a whole.
  Error key_error(std::string_view problem) const;
  /// "sessions.max", "listen[1]"; empty for the document itself.
  const std::string& path() const { return path_; }

 private:
  Error expected(std::string_view what) const;

  std::shared_ptr<const YAML::Node> node_;
  std::string file_;
  std::string path_;
  int line_;
  int key_line_;
};

/// A mapping whose keys are taken one by one; finish() refuses what is left, with the nearest known
/// key.
class Mapping {
 public:
  struct Entry {
    std::string key;
    Value value;
    Error unknown;  // what finish() reports when nobody takes it, without the hint
    bool taken = false;
  };
  Mapping(Value value, std::vector<Entry> entries);

  /// Takes the key; nullopt when absent.
  std::optional<Value> take(std::string_view key);
  /// Takes the key; when absent an error at the line of this mapping that names the key, or that of
  /// a key which looks like it misspelt.
  Result<Value> require(std::string_view key);
  /// Takes all keys that are left, in file order (for maps with free keys such as env).
  std::vector<std::pair<std::string, Value>> take_rest();
  /// Error when a key was never taken: at its line, with the nearest of the keys that were asked
  /// for.
  Result<> finish() const;
  Error error(std::string_view problem) const { return value_.error(problem); }

 private:
  Error unknown(const Entry& entry) const;

  Value value_;
  std::vector<Entry> entries_;
  std::vector<std::string> known_keys_;
};

/// Parses one document. Refuses duplicate keys, aliases that expand beyond 10,000 nodes, and
/// nesting beyond 32. An empty document is an empty mapping. `file` is only for messages.
Result<Value> parse(std::string_view text, std::string file);
/// Reads and parses; an unreadable file is "FILE: cannot be read: <reason>".
Result<Value> parse_file(const std::string& path);

}  // namespace sluice::yaml
