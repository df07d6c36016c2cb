#include "base/yaml.h"

#include <set>
#include <span>
#include <sstream>

#include <fmt/format.h>
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/yaml.h>

#include "base/bytes.h"
#include "base/file.h"
#include "base/text.h"

namespace sluice::yaml {
namespace {

constexpr std::size_t kMaxFileBytes = 4_MiB;
constexpr std::size_t kMaxNodes = 200'000;
constexpr int kMaxDepth = 32;

int line_of(const YAML::Mark& mark) { return mark.line < 0 ? 1 : mark.line + 1; }

Error place(const std::string& file, int line, const std::string& path, std::string_view problem) {
  std::string message = fmt::format("{}:{}: ", file, line);
  if (!path.empty()) message += path + ": ";
  return Error{ErrorCode::InvalidArgument, message.append(problem), {}, {}, {}};
}

std::string join(const std::string& path, const std::string& key) {
  return path.empty() ? key : path + "." + key;
}

/// Walks the whole document once, as its readers would, so that they need no limits of their own.
/// yaml-cpp shares the node of an alias, so only a walk shows what it expands to.
class Check {
 public:
  explicit Check(const std::string& file) : file_(file) {}

  Result<> walk(const YAML::Node& node, const std::string& path, int depth) {
    if (++nodes_ > kMaxNodes) {
      return fail(
          place(file_, line_of(node.Mark()), path,
                fmt::format("too large: more than {} values, aliases expanded", kMaxNodes)));
    }
    if (depth > kMaxDepth) {
      return fail(place(file_, line_of(node.Mark()), path, "nested too deeply: at most 32 levels"));
    }
    return node.IsMap() ? walk_mapping(node, path, depth) : walk_list(node, path, depth);
  }

 private:
  Result<> walk_mapping(const YAML::Node& node, const std::string& path, int depth) {
    std::set<std::string> keys;
    for (const auto& item : node) {
      const YAML::Node& key = item.first;
      if (!key.IsScalar())
        return fail(place(file_, line_of(key.Mark()), path, "a key must be plain text"));
      const std::string name = key.Scalar();
      if (!keys.insert(name).second) {
        return fail(place(file_, line_of(key.Mark()), join(path, name), "given twice"));
      }
      TRY_VOID(walk(item.second, join(path, name), depth + 1));
    }
    return {};
  }

  Result<> walk_list(const YAML::Node& node, const std::string& path, int depth) {
    if (!node.IsSequence()) return {};
    std::size_t index = 0;
    for (const YAML::Node& item : node) {
      TRY_VOID(walk(item, fmt::format("{}[{}]", path, index++), depth + 1));
    }
    return {};
  }

  const std::string& file_;
  std::size_t nodes_ = 0;
};

/// YAML 1.2 5.1: a document has no control characters but tab and line ends. yaml-cpp does not
/// look.
Result<> check_characters(std::string_view text, const std::string& file) {
  int line = 1;
  for (const char c : text) {
    if (c == '\n') ++line;
    const auto byte = static_cast<unsigned char>(c);
    const bool allowed = byte >= 0x20 || c == '\t' || c == '\n' || c == '\r';
    if (allowed && byte != 0x7F) continue;
    return fail(place(file, line, {}, fmt::format("a control character, 0x{:02x}", byte)));
  }
  return {};
}

/// Sees where documents begin, and nothing of them.
class DocumentStart final : public YAML::EventHandler {
 public:
  int line() const { return line_; }

  void OnDocumentStart(const YAML::Mark& mark) override { line_ = line_of(mark); }
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark&, YAML::anchor_t) override {}
  void OnAlias(const YAML::Mark&, YAML::anchor_t) override {}
  void OnScalar(const YAML::Mark&, const std::string&, YAML::anchor_t,
                const std::string&) override {}
  void OnSequenceStart(const YAML::Mark&, const std::string&, YAML::anchor_t,
                       YAML::EmitterStyle::value) override {}
  void OnSequenceEnd() override {}
  void OnMapStart(const YAML::Mark&, const std::string&, YAML::anchor_t,
                  YAML::EmitterStyle::value) override {}
  void OnMapEnd() override {}

 private:
  int line_ = 1;
};

/// Not by YAML::LoadAll(): it takes a stray comma for one empty document after another, for ever.
Result<> check_single_document(const std::string& text, const std::string& file) {
  std::istringstream stream(text);
  YAML::Parser parser(stream);
  DocumentStart start;
  if (parser.HandleNextDocument(start) && parser.HandleNextDocument(start)) {
    return fail(place(file, start.line(), {}, "a second document: only one is expected"));
  }
  return {};
}

Result<YAML::Node> load(const std::string& text, const std::string& file) {
  TRY_VOID(check_characters(text, file));
  try {
    TRY_VOID(check_single_document(text, file));
    YAML::Node root = YAML::Load(text);
    if (root.IsNull()) root = YAML::Node(YAML::NodeType::Map);
    TRY_VOID(Check(file).walk(root, {}, 1));
    return root;
  } catch (const YAML::Exception& error) {
    return fail(place(file, line_of(error.mark), {}, "not valid YAML: " + error.msg));
  }
}

}  // namespace

Value::Value(std::shared_ptr<const YAML::Node> node, std::string file, std::string path, int line,
             int key_line)
    : node_(std::move(node)),
      file_(std::move(file)),
      path_(std::move(path)),
      line_(line),
      key_line_(key_line) {}

Error Value::error(std::string_view problem) const { return place(file_, line_, path_, problem); }

Error Value::key_error(std::string_view problem) const {
  return place(file_, key_line_, path_, problem);
}

Error Value::expected(std::string_view what) const {
  std::string_view found = "nothing";
  if (node_->IsMap()) found = "a mapping";
  if (node_->IsSequence()) found = "a list";
  if (node_->IsScalar())
    return error(fmt::format("expected {}, got \"{}\"", what, node_->Scalar()));
  return key_error(fmt::format("expected {}, got {}", what, found));
}

bool Value::is_list() const { return node_->IsSequence(); }

bool Value::is_mapping() const { return node_->IsMap(); }

Result<std::string> Value::as_string() const {
  if (!node_->IsScalar()) return fail(expected("text"));
  return node_->Scalar();
}

Result<bool> Value::as_bool() const {
  if (node_->IsScalar() && node_->Scalar() == "true") return true;
  if (node_->IsScalar() && node_->Scalar() == "false") return false;
  return fail(expected("true or false"));
}

Result<std::int64_t> Value::as_int64(std::int64_t min, std::int64_t max) const {
  const auto number = node_->IsScalar() ? parse_int64(node_->Scalar()) : std::nullopt;
  if (number && *number >= min && *number <= max) return *number;
  return fail(expected(fmt::format("a whole number from {} to {}", min, max)));
}

Result<nanoseconds> Value::as_duration() const {
  const auto duration = node_->IsScalar() ? parse_duration(node_->Scalar()) : std::nullopt;
  if (duration && *duration >= nanoseconds(0) && *duration <= kLongestDuration) return *duration;
  return fail(expected(
      fmt::format("a duration such as 30s, at most {}", format_duration(kLongestDuration))));
}

Result<std::vector<Value>> Value::as_list() const {
  if (!node_->IsSequence()) return fail(expected("a list"));
  std::vector<Value> items;
  for (const YAML::Node& item : *node_) {
    const int line = line_of(item.Mark());
    items.emplace_back(std::make_shared<const YAML::Node>(item), file_,
                       fmt::format("{}[{}]", path_, items.size()), line, line);
  }
  return items;
}

Result<std::vector<Value>> Value::as_items() const {
  if (is_list()) return as_list();
  return std::vector<Value>{*this};
}

Result<std::vector<std::string>> Value::as_strings() const {
  if (node_->IsScalar()) return std::vector<std::string>{node_->Scalar()};
  if (!node_->IsSequence()) return fail(expected("text or a list of texts"));
  TRY(const std::vector<Value> items, as_list());
  std::vector<std::string> strings;
  for (const Value& item : items) {
    TRY(std::string text, item.as_string());
    strings.push_back(std::move(text));
  }
  return strings;
}

Result<Mapping> Value::as_mapping() const {
  if (!node_->IsMap()) return fail(expected("a mapping"));
  std::vector<Mapping::Entry> entries;
  for (const auto& item : *node_) {
    const YAML::Node& key = item.first;
    const std::string path = join(path_, key.Scalar());
    const int key_line = line_of(key.Mark());
    // yaml-cpp places an absent value at the token behind it.
    const int line = item.second.IsNull() ? key_line : line_of(item.second.Mark());
    Value value(std::make_shared<const YAML::Node>(item.second), file_, path, line, key_line);
    entries.push_back(
        {key.Scalar(), std::move(value), place(file_, key_line, path, "unknown key")});
  }
  return Mapping(*this, std::move(entries));
}

Mapping::Mapping(Value value, std::vector<Entry> entries)
    : value_(std::move(value)), entries_(std::move(entries)) {}

std::optional<Value> Mapping::take(std::string_view key) {
  known_keys_.emplace_back(key);
  for (Entry& entry : entries_) {
    if (entry.key != key) continue;
    entry.taken = true;
    return entry.value;
  }
  return std::nullopt;
}

Result<Value> Mapping::require(std::string_view key) {
  if (std::optional<Value> value = take(key)) return *std::move(value);
  for (const Entry& entry : entries_) {
    const bool misspelt = !entry.taken && nearest(entry.key, std::span(&key, 1));
    if (misspelt) return fail(unknown(entry));
  }
  return fail(error(fmt::format("missing key {}", key)));
}

std::vector<std::pair<std::string, Value>> Mapping::take_rest() {
  std::vector<std::pair<std::string, Value>> rest;
  for (Entry& entry : entries_) {
    if (!std::exchange(entry.taken, true)) rest.emplace_back(entry.key, entry.value);
  }
  return rest;
}

Result<> Mapping::finish() const {
  for (const Entry& entry : entries_) {
    if (!entry.taken) return fail(unknown(entry));
  }
  return {};
}

Error Mapping::unknown(const Entry& entry) const {
  Error error = entry.unknown;
  if (const auto near = nearest(entry.key, known_keys_)) {
    error.message += fmt::format(", did you mean {}?", *near);
  } else if (!known_keys_.empty()) {
    error.message += fmt::format("; known here: {}", fmt::join(known_keys_, ", "));
  }
  return error;
}

Result<Value> parse(std::string_view text, std::string file) {
  TRY(YAML::Node root, load(std::string(text), file));
  const int line = line_of(root.Mark());
  return Value(std::make_shared<const YAML::Node>(std::move(root)), std::move(file), {}, line,
               line);
}

Result<Value> parse_file(const std::string& path) {
  Result<std::string> text = read_file(path, kMaxFileBytes);
  if (!text) {
    return fail(ErrorCode::InvalidArgument, path + ": cannot be read: " + text.error().message);
  }
  return parse(*text, path);
}

}  // namespace sluice::yaml
