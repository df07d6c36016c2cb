// Kubeconfigs of known structure, one or two files, in block and flow style, with pieces missing or
// of a wrong type: what they say is what a plain second reading finds. And any text. No crash, and
// an error names the file.
#include <fuzzer/FuzzedDataProvider.h>

#include <array>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "backend/kubernetes/access/kubeconfig.h"
#include "base/json.h"
#include "testing/require.h"

namespace {

using namespace sluice;
using namespace sluice::backend::kubernetes;
using sluice::testing::require;
using sluice::testing::require_equal;

struct Document {
  std::string path;
  json::object tree;
};

/// What a document may say, and a few things that it may not.
class DocumentWriter {
 public:
  explicit DocumentWriter(FuzzedDataProvider& input) : input_(input) {}

  /// A value of another type than it should have was written: what follows from that is not known.
  bool wrote_wrong_type() const { return wrote_wrong_type_; }

  json::object write() {
    json::object tree{{"apiVersion", "v1"}, {"kind", "Config"}};
    maybe(tree, "current-context", [&] { return name(); });
    tree["contexts"] = list("context", [&] { return context(); });
    tree["clusters"] = list("cluster", [&] { return cluster(); });
    tree["users"] = list("user", [&] { return user(); });
    return tree;
  }

 private:
  bool rarely() { return input_.ConsumeIntegralInRange(0, 15) == 0; }

  /// Sets the key, or not, or to null, or rarely to something of another type.
  template <typename Make>
  void maybe(json::object& object, std::string_view key, Make make) {
    if (rarely()) {
      object[key] = nullptr;
    } else if (rarely()) {
      object[key] = wrong_type();
    } else if (input_.ConsumeBool()) {
      object[key] = make();
    }
  }
  template <std::size_t Count>
  void maybe_one_of(json::object& object, std::string_view key, const char* const (&texts)[Count]) {
    maybe(object, key, [&] { return json::value(input_.PickValueInArray(texts)); });
  }

  json::value wrong_type() {
    wrote_wrong_type_ = true;
    switch (input_.ConsumeIntegralInRange(0, 3)) {
      case 0: return json::array{"x"};
      case 1: return json::object{{"x", "y"}};
      case 2: return json::array{nullptr};
      default: return 7;
    }
  }

  json::value name() {
    constexpr const char* kNames[] = {"a", "b", "c"};
    return input_.PickValueInArray(kNames);
  }

  template <typename Make>
  json::value list(std::string_view key, Make make) {
    if (rarely()) return nullptr;
    if (rarely()) return wrong_type();
    json::array items;
    const int count = input_.ConsumeIntegralInRange(0, 3);
    for (int i = 0; i < count; ++i) {
      json::object item;
      if (!rarely()) item["name"] = name();
      if (rarely()) {
        item[key] = nullptr;
      } else if (!rarely()) {
        item[key] = make();
      }
      items.push_back(std::move(item));
    }
    return items;
  }

  json::object context() {
    json::object context;
    if (!rarely()) context["cluster"] = name();
    maybe(context, "user", [&] { return name(); });
    return context;
  }

  json::object cluster() {
    static constexpr const char* kServers[] = {
        "https://k:6443", "http://[::1]:8001", "https://k/a?b#c", "k:6443", "", "ftp://k"};
    static constexpr const char* kProxies[] = {"http://p", "socks5://p:1", "https://p", "", "null"};
    json::object cluster;
    if (!rarely()) cluster["server"] = input_.PickValueInArray(kServers);
    maybe_one_of(cluster, "certificate-authority", kPaths);
    maybe_one_of(cluster, "certificate-authority-data", kEncoded);
    maybe(cluster, "insecure-skip-tls-verify", [&] { return input_.ConsumeBool(); });
    maybe_one_of(cluster, "tls-server-name", kTexts);
    maybe_one_of(cluster, "proxy-url", kProxies);
    return cluster;
  }

  json::object user() {
    static constexpr const char* kRefused[] = {"username", "password",  "auth-provider", "as",
                                               "as-uid",   "as-groups", "as-user-extra"};
    json::object user;
    maybe_one_of(user, "token", kTexts);
    maybe_one_of(user, "tokenFile", kPaths);
    for (const char* kind : {"client-certificate", "client-key"}) {
      maybe_one_of(user, kind, kPaths);
      maybe_one_of(user, std::string(kind) + "-data", kEncoded);
    }
    if (rarely())
      user[input_.PickValueInArray(kRefused)] = input_.ConsumeBool() ? json::value("x") : nullptr;
    maybe(user, "exec", [&] { return plugin(); });
    return user;
  }

  json::object plugin() {
    static constexpr const char* kVersions[] = {"client.authentication.k8s.io/v1",
                                                "client.authentication.k8s.io/v1beta1",
                                                "client.authentication.k8s.io/v1alpha1"};
    static constexpr const char* kCommands[] = {"aws", "./bin/login", "/bin/login", "../login"};
    static constexpr const char* kModes[] = {"Never", "IfAvailable", "Always", ""};
    json::object plugin;
    if (!rarely()) plugin["command"] = input_.PickValueInArray(kCommands);
    if (!rarely()) plugin["apiVersion"] = input_.PickValueInArray(kVersions);
    maybe(plugin, "args", [&] { return arguments(); });
    maybe(plugin, "env", [&] { return environment(); });
    maybe(plugin, "provideClusterInfo", [&] { return input_.ConsumeBool(); });
    maybe_one_of(plugin, "installHint", kTexts);
    maybe_one_of(plugin, "interactiveMode", kModes);
    return plugin;
  }

  json::array arguments() {
    json::array list;
    const int count = input_.ConsumeIntegralInRange(0, 3);
    for (int i = 0; i < count; ++i) list.emplace_back(input_.PickValueInArray(kTexts));
    return list;
  }

  json::array environment() {
    json::array list;
    const int count = input_.ConsumeIntegralInRange(0, 2);
    for (int i = 0; i < count; ++i) {
      json::object variable;
      if (!rarely()) variable["name"] = input_.PickValueInArray(kTexts);
      maybe_one_of(variable, "value", kTexts);
      list.push_back(std::move(variable));
    }
    return list;
  }

  // Texts that YAML might take for something else.
  static constexpr const char* kTexts[] = {
      "t",   "a b",  "null",     "~",    "true", "5",  "0x1F", "",  "#h", "'", "\"", ": ",
      "- a", "{a: ", "\xC3\xA9", "a\nb", "*a",   "&a", "!a",   "%", "@",  "`", "<<", " a "};
  static constexpr const char* kPaths[] = {"ca.crt", "/abs/ca.crt", "../x y", ""};
  static constexpr const char* kEncoded[] = {"Q0E=", "Q0 \nE=", "!", ""};

  FuzzedDataProvider& input_;
  bool wrote_wrong_type_ = false;
};

/// Writes a tree as YAML, in one of its many ways.
class YamlWriter {
 public:
  explicit YamlWriter(FuzzedDataProvider& input) : input_(input) {}

  std::string write(const json::object& tree) {
    if (input_.ConsumeIntegralInRange(0, 3) == 0) return json::serialize(tree);
    if (input_.ConsumeBool()) text_ += "---\n# a comment\n";
    write_members(tree, 0);
    return std::move(text_);
  }

 private:
  void write_members(const json::object& object, std::size_t indent) {
    for (const auto& [key, value] : object) {
      text_ += std::string(indent, ' ') + std::string(key) + ":";
      write_value(value, indent + 2);
    }
  }

  /// Behind "key:" or "-".
  void write_value(const json::value& value, std::size_t indent) {
    const bool in_flow = !has_parts(value) || input_.ConsumeIntegralInRange(0, 7) == 0;
    if (in_flow) {
      const std::string scalar = write_scalar(value);
      text_ += (scalar.empty() ? "" : " " + scalar) + "\n";
      return;
    }
    text_ += "\n";
    if (const json::object* members = value.if_object()) {
      write_members(*members, indent);
      return;
    }
    for (const json::value& item : value.get_array()) {
      text_ += std::string(indent, ' ') + "-";
      write_value(item, indent + 2);
    }
  }

  static bool has_parts(const json::value& value) {
    return (value.is_object() && !value.get_object().empty()) ||
           (value.is_array() && !value.get_array().empty());
  }

  std::string write_scalar(const json::value& value) {
    constexpr const char* kNulls[] = {"null", "~", ""};
    if (value.is_null()) return input_.PickValueInArray(kNulls);
    if (!value.is_string()) return json::serialize(value);
    const std::string text(value.get_string());
    switch (input_.ConsumeIntegralInRange(0, 2)) {
      case 0: return json::serialize(value);
      case 1:
        if (!text.contains('\n')) return single_quoted(text);
        return json::serialize(value);
      default: return is_plain(text) ? text : json::serialize(value);
    }
  }

  static std::string single_quoted(const std::string& text) {
    std::string quoted = "'";
    for (const char c : text) quoted += c == '\'' ? "''" : std::string(1, c);
    return quoted + "'";
  }

  static bool is_plain(const std::string& text) {
    constexpr std::string_view kPlain =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/.=";
    return !text.empty() && text != "null" && text.find_first_not_of(kPlain) == text.npos;
  }

  FuzzedDataProvider& input_;
  std::string text_;
};

/// A second reading, of trees without a value of a wrong type: nullopt where it is to be refused.
class Reading {
 public:
  explicit Reading(const std::vector<Document>& documents) : documents_(documents) {}

  std::optional<ClusterConfig> read(std::string name) {
    for (const Document& document : documents_) {
      for (const char* key : {"contexts", "clusters", "users"}) {
        for (const json::value& item : json::list_of(document.tree, key)) {
          if (!item.get_object().contains("name")) return std::nullopt;
        }
      }
      if (name.empty()) name = json::text_of(document.tree, "current-context");
    }
    const Section context = find("contexts", "context", name);
    if (context.members == nullptr) return std::nullopt;
    const Section cluster = find("clusters", "cluster", json::text_of(*context.members, "cluster"));
    const std::string user_name = json::text_of(*context.members, "user");
    const Section user = find("users", "user", user_name);
    if (cluster.members == nullptr || !read_cluster(cluster)) return std::nullopt;
    if (user_name.empty()) return config_;
    if (user.members == nullptr || !read_user(user)) return std::nullopt;
    return config_;
  }

 private:
  struct Section {
    const json::object* members = nullptr;
    std::string folder;
  };

  /// The first of that name.
  Section find(std::string_view list, std::string_view key, const std::string& name) const {
    for (const Document& document : documents_) {
      for (const json::value& item : json::list_of(document.tree, list)) {
        const json::object* members = json::find_object(item.get_object(), key);
        if (members != nullptr && json::text_of(item.get_object(), "name") == name) {
          return {members, document.path.substr(0, document.path.rfind('/') + 1)};
        }
      }
    }
    return {};
  }

  static std::string resolve(const Section& section, const std::string& path) {
    return path.empty() || path.starts_with('/') ? path : section.folder + path;
  }

  static bool read_text_or_file(const Section& section, const std::string& key, TextOrFile& into) {
    const std::string encoded = json::text_of(*section.members, key + "-data");
    into.file = resolve(section, json::text_of(*section.members, key));
    if (encoded.starts_with("Q0")) into = {.text = "CA", .file = {}};
    return encoded != "!";
  }

  bool read_cluster(const Section& section) {
    const json::object& cluster = *section.members;
    config_.servers = {json::text_of(cluster, "server")};
    const std::string& server = config_.servers[0];
    if (!server.starts_with("http://") && !server.starts_with("https://")) return false;
    if (!read_text_or_file(section, "certificate-authority", config_.authorities)) return false;
    config_.insecure_skip_tls_verify = json::flag_of(cluster, "insecure-skip-tls-verify");
    config_.tls_server_name = json::text_of(cluster, "tls-server-name");
    config_.proxy_url = json::text_of(cluster, "proxy-url");
    const std::string& proxy = config_.proxy_url;
    if (config_.insecure_skip_tls_verify && !config_.authorities.empty()) return false;
    return proxy.empty() || proxy.starts_with("http://") || proxy.starts_with("socks5://");
  }

  bool read_user(const Section& section) {
    const json::object& user = *section.members;
    for (const char* refused :
         {"username", "password", "auth-provider", "as", "as-uid", "as-groups", "as-user-extra"}) {
      const json::value* value = json::find(user, refused);
      if (value != nullptr && !value->is_null()) return false;
    }
    config_.token_file = resolve(section, json::text_of(user, "tokenFile"));
    if (config_.token_file.empty()) config_.token = json::text_of(user, "token");
    if (!read_text_or_file(section, "client-certificate", config_.client_certificate)) return false;
    if (!read_text_or_file(section, "client-key", config_.client_key)) return false;
    if (config_.client_certificate.empty() != config_.client_key.empty()) return false;
    const json::object* exec = json::find_object(user, "exec");
    if (exec == nullptr) return true;
    return config_.token.empty() && config_.token_file.empty() && read_plugin(section, *exec);
  }

  bool read_plugin(const Section& section, const json::object& exec) {
    ExecPlugin& plugin = config_.exec.emplace();
    plugin.command = json::text_of(exec, "command");
    if (plugin.command.contains('/')) plugin.command = resolve(section, plugin.command);
    plugin.api_version = json::text_of(exec, "apiVersion");
    const bool known = plugin.api_version == "client.authentication.k8s.io/v1" ||
                       plugin.api_version == "client.authentication.k8s.io/v1beta1";
    if (plugin.command.empty() || !known) return false;
    for (const json::value& argument : json::list_of(exec, "args")) {
      plugin.arguments.emplace_back(argument.get_string());
    }
    for (const json::value& variable : json::list_of(exec, "env")) {
      const json::object& members = variable.get_object();
      if (!members.contains("name")) return false;
      plugin.environment.emplace_back(json::text_of(members, "name"),
                                      json::text_of(members, "value"));
    }
    plugin.wants_cluster = json::flag_of(exec, "provideClusterInfo");
    plugin.install_hint = json::text_of(exec, "installHint");
    return json::text_of(exec, "interactiveMode") != "Always";
  }

  const std::vector<Document>& documents_;
  ClusterConfig config_;
};

std::string describe(const ClusterConfig& config) {
  std::string text = fmt::format(
      "{}|{}|{}|{}|{}|{}|{}|{}|{}|{}|{}|{}", config.servers.at(0), config.authorities.text,
      config.authorities.file, config.insecure_skip_tls_verify, config.tls_server_name,
      config.proxy_url, config.token, config.token_file, config.client_certificate.text,
      config.client_certificate.file, config.client_key.text, config.client_key.file);
  if (!config.exec) return text;
  const ExecPlugin& plugin = *config.exec;
  text += fmt::format("|{}|{}|{}|{}", plugin.api_version, plugin.command, plugin.wants_cluster,
                      plugin.install_hint);
  for (const std::string& argument : plugin.arguments) text += "|" + argument;
  for (const auto& [name, value] : plugin.environment) text += "|" + name + "=" + value;
  return text;
}

void check_error(const Error& error, const std::vector<KubeconfigFile>& files) {
  const bool names_a_file = std::ranges::any_of(
      files, [&error](const KubeconfigFile& file) { return error.message.contains(file.path); });
  require(error.code == ErrorCode::InvalidArgument && names_a_file, "an error names the file");
}

void check_any_text(const std::string& text) {
  const std::vector<KubeconfigFile> files = {
      {"/a/config", "current-context: c\ncontexts: [{name: c, context: {cluster: c, user: u}}]\n"},
      {"/b/config", text}};
  const std::vector<KubeconfigFile> alone = {files[1]};
  for (const auto& chosen : {files, alone}) {
    const auto config = parse_kubeconfig(chosen, "");
    if (!config) check_error(config.error(), chosen);
    require(!config || !config->servers.empty(), "what is taken names a server");
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  FuzzedDataProvider input(data, size);
  if (input.ConsumeIntegralInRange(0, 3) == 0) {
    check_any_text(input.ConsumeRemainingBytesAsString());
    return 0;
  }
  constexpr const char* kChosen[] = {"", "", "a", "z"};
  const std::string chosen = input.PickValueInArray(kChosen);
  DocumentWriter writer(input);
  std::vector<Document> documents;
  std::vector<KubeconfigFile> files;
  const int count = input.ConsumeIntegralInRange(1, 2);
  for (int i = 0; i < count; ++i) {
    documents.push_back({i == 0 ? "/a/config" : "/b/kube/config", writer.write()});
    files.push_back({documents.back().path, YamlWriter(input).write(documents.back().tree)});
  }
  const auto config = parse_kubeconfig(files, chosen);
  if (!config) check_error(config.error(), files);
  if (writer.wrote_wrong_type()) return 0;
  const auto expected = Reading(documents).read(chosen);
  require(config.has_value() == expected.has_value(), "what is sound is taken, and only that");
  if (!config) return 0;
  require_equal(describe(*config), describe(*expected), "what is taken is what was said");
  return 0;
}
