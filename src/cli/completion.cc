#include "cli/completion.h"

#include <algorithm>
#include <map>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "cli/cluster/api_path.h"
#include "cli/cluster/workload_lookup.h"
#include "cli/terminal/console.h"
#include "cli/terminal/exit_code.h"
#include "cli/terminal/printable.h"
#include "net/deadline.h"

namespace sluice::cli {
namespace {

using Kind = Completion::Kind;
using Candidates = std::vector<Completion::Candidate>;

/// Nobody waits longer for a completion.
constexpr nanoseconds kPatience = seconds(2);

/// A command line as far as it is typed.
struct Line {
  CLI::App* command = nullptr;
  std::vector<std::string> path;             // the words of the command
  std::map<std::string, std::string> given;  // what options and positionals were given, by name
  std::size_t positionals = 0;
  bool only_positionals = false;  // behind --
  CLI::Option* option = nullptr;  // waits for its value
};

std::string name_of(const CLI::Option& option) {
  return option.get_positional()       ? option.get_name(true)
         : option.get_lnames().empty() ? ""
                                       : option.get_lnames().front();
}

bool takes_value(const CLI::Option& option) { return option.get_items_expected_max() > 0; }

std::vector<const CLI::Option*> positionals_of(const CLI::App& command) {
  return command.get_options([](const CLI::Option* option) { return option->get_positional(); });
}

/// The one that the next word is for; null: none is left.
const CLI::Option* next_positional(const Line& line) {
  const auto all = positionals_of(*line.command);
  if (all.empty()) return nullptr;
  const bool has_more = line.positionals < all.size() || all.back()->get_items_expected_max() > 1;
  return has_more ? all[std::min(line.positionals, all.size() - 1)] : nullptr;
}

void give(Grammar& grammar, Line& line, CLI::Option& option, const std::string& value) {
  line.given[name_of(option)] = value;
  if (grammar.app.get_option_no_throw(option.get_name()) != &option) return;
  try {
    option.add_result(value);
    option.run_callback();
  } catch (const CLI::Error&) {
    return;  // a wrong value completes nothing
  }
}

/// null: there is none of that name that takes a value.
CLI::Option* find_option(Grammar& grammar, const Line& line, const std::string& name) {
  CLI::Option* option = line.command->get_option_no_throw(name);
  if (option == nullptr) option = grammar.app.get_option_no_throw(name);
  return option != nullptr && takes_value(*option) ? option : nullptr;
}

void read_option(Grammar& grammar, Line& line, const std::string& word) {
  const std::size_t equals = word.find('=');
  CLI::Option* option = find_option(grammar, line, word.substr(0, equals));
  if (option == nullptr) return;
  if (equals == std::string::npos) {
    line.option = option;
  } else {
    give(grammar, line, *option, word.substr(equals + 1));
  }
}

void read_positional(Line& line, const std::string& word) {
  CLI::App* command = line.only_positionals ? nullptr : find_command(*line.command, word);
  if (command != nullptr) {
    line.command = command;
    line.path.push_back(word);
    return;
  }
  if (const CLI::Option* positional = next_positional(line)) {
    line.given.emplace(name_of(*positional), word);
  }
  ++line.positionals;
}

Line read_line(Grammar& grammar, std::span<const std::string> words) {
  Line line{.command = &grammar.app};
  for (const std::string& word : words) {
    if (line.option != nullptr) {
      if (word == "=") continue;  // bash's words end there
      give(grammar, line, *line.option, word);
      line.option = nullptr;
    } else if (line.only_positionals || !word.starts_with('-')) {
      read_positional(line, word);
    } else if (word == "--") {
      line.only_positionals = true;
    } else {
      read_option(grammar, line, word);
    }
  }
  return line;
}

Candidates words_of(std::initializer_list<const char*> words) {
  Candidates candidates;
  for (const char* word : words) candidates.push_back({word, ""});
  return candidates;
}

/// What a value may be, by the name of its option, or positional.
void complete_value(const CLI::Option& option, const Line& line, Completion& completion) {
  const std::string name = name_of(option);
  const bool is_config = !line.path.empty() && line.path.front() == "config";
  if (name == "SOURCE" || name == "TARGET") {
    const bool is_path = completion.begun.find_first_of("/.~:") != std::string::npos;
    const auto source = line.given.find("SOURCE");
    const bool is_remote = source != line.given.end() && source->second.contains(':');
    completion.kind = is_path || is_remote ? Kind::Files : Kind::WorkloadsOrFiles;
  } else if (option.get_type_name() == "FILE" || name == "FILE") {
    completion.kind = Kind::Files;
  } else if (option.get_type_name() == "FORMAT") {
    completion.words = words_of({"table", "json", "yaml"});
  } else if (name == "type") {
    for (const ClassWord& word : type_words()) completion.words.push_back({word.type, ""});
  } else if (name == "framework") {
    for (const ClassWord& word : training_words()) {
      const bool is_distributed = word.type == std::string_view("distributed");
      if (is_distributed) completion.words.push_back({word.framework, ""});
    }
  } else if (name == "SHELL") {
    completion.words = words_of({"bash", "zsh", "fish"});
  } else if (name == "KEY") {
    for (const std::string_view key : config_keys()) {
      completion.words.push_back({std::string(key), ""});
    }
  } else if (name == "cluster" || (name == "NAME" && is_config)) {
    completion.kind = Kind::Clusters;
  } else if (name == "NAME") {
    completion.kind = Kind::Workloads;
  } else if (name == "pod") {
    completion.kind = Kind::Pods;
  } else if (name == "container") {
    completion.kind = Kind::Containers;
  }
}

/// Both the command and the program have some, such as --help; two types may share a name.
void add_once(Candidates& candidates, Completion::Candidate candidate) {
  const auto same = std::ranges::find(candidates, candidate.word, &Completion::Candidate::word);
  if (same == candidates.end()) candidates.push_back(std::move(candidate));
}

void add_options(const CLI::App& command, Candidates& candidates) {
  for (const CLI::Option* option : command.get_options()) {
    for (const std::string& name : option->get_lnames()) {
      add_once(candidates, {"--" + name, option->get_description()});
    }
  }
}

void add_commands(const CLI::App& command, Candidates& candidates) {
  for (const CLI::App* one : commands_of(command)) {
    candidates.push_back({one->get_name(), one->get_description()});
  }
}

std::string given(const Line& line, const char* name) {
  const auto found = line.given.find(name);
  return found == line.given.end() ? std::string() : found->second;
}

WorkloadName workload_of(const Line& line) {
  WorkloadName workload{.name = given(line, "NAME"), .type = given(line, "type")};
  if (const std::string framework = given(line, "framework"); !framework.empty()) {
    workload.framework = framework;
  }
  if (const ClassWord* word = find_class(line.path)) {
    workload.type = word->type;
    workload.framework = word->framework;
  }
  return workload;
}

std::string lines_of(const Candidates& candidates, const Completion& completion) {
  std::string text;
  for (const Completion::Candidate& one : candidates) {
    if (!one.word.starts_with(completion.begun)) continue;
    text += completion.before + printable(one.word);
    if (!one.meaning.empty()) text += "\t" + printable(one.meaning);
    text += "\n";
  }
  return text;
}

Candidates clusters(const GlobalOptions& options, const Environment& environment) {
  Candidates candidates;
  const Result<std::string> file = config_file_of(options, environment);
  const Result<Config> config = file ? read_config(*file) : fail(file.error());
  if (!config) return candidates;
  for (const auto& [name, entry] : config->clusters) candidates.push_back({name, entry.server});
  return candidates;
}

const json::array& rows_of(const json::value& body, const char* name) {
  static const json::object none;
  const json::object* object = body.if_object();
  return json::list_of(object != nullptr ? *object : none, name);
}

net::Task<Result<Candidates>> workloads(Context& context, const WorkloadName& wanted) {
  CO_TRY(const std::string project, project_of(context.settings));
  CO_TRY(const json::value body, co_await context.api.get_json(workloads_path(project)));
  Candidates candidates;
  for (const json::value& value : rows_of(body, "workloads")) {
    const json::object* one = value.if_object();
    if (one == nullptr) continue;
    const std::string type = json::text_of(*one, "type");
    const std::string framework = json::text_of(*one, "framework");
    if (!wanted.type.empty() && type != wanted.type) continue;
    if (!wanted.type.empty() && wanted.framework != "any" && framework != wanted.framework)
      continue;
    add_once(candidates, {json::text_of(*one, "name"),
                          fmt::format("{}, {}", type, json::text_of(*one, "phase"))});
  }
  co_return candidates;
}

net::Task<Result<Candidates>> pods_or_containers(Context& context, const Completion& completion) {
  CO_TRY(const workload::WorkloadRef workload, co_await look_up(context, completion.workload));
  CO_TRY(const json::value body, co_await context.api.get_json(path_of(workload, "pods")));
  Candidates candidates;
  for (const json::value& value : rows_of(body, "pods")) {
    const json::object* pod = value.if_object();
    if (pod == nullptr) continue;
    const std::string name = json::text_of(*pod, "name");
    if (completion.kind == Kind::Pods) candidates.push_back({name, json::text_of(*pod, "phase")});
    const bool is_other = !completion.target.pod.empty() && name != completion.target.pod;
    if (completion.kind == Kind::Pods || is_other) continue;
    for (const json::value& container : json::list_of(*pod, "containers")) {
      const json::object* one = container.if_object();
      if (one != nullptr) candidates.push_back({json::text_of(*one, "name"), ""});
    }
    if (!candidates.empty()) break;  // the pods of a workload have the same
  }
  co_return candidates;
}

/// Of a word "--pod=train-" that is begun: then the value is what is to be completed. null: it is
/// none.
CLI::Option* option_with_value(Grammar& grammar, const Line& line, Completion& completion) {
  const std::size_t equals = completion.begun.find('=');
  const bool is_option = completion.begun.starts_with("--") && !line.only_positionals;
  if (!is_option || equals == std::string::npos) return nullptr;
  CLI::Option* option = find_option(grammar, line, completion.begun.substr(0, equals));
  if (option == nullptr) return nullptr;
  completion.before = completion.begun.substr(0, equals + 1);
  completion.begun.erase(0, equals + 1);
  return option;
}

net::Task<Result<int>> ask_server(Context& context, Completion completion) {
  const bool or_files = completion.kind == Kind::WorkloadsOrFiles;
  const bool is_workloads = completion.kind == Kind::Workloads || or_files;
  auto asked = is_workloads ? workloads(context, completion.workload)
                            : pods_or_containers(context, completion);
  Result<Candidates> found =
      co_await net::before(context.timers.now() + kPatience, context.timers, std::move(asked));
  std::string text;
  if (found && or_files) {
    for (Completion::Candidate& one : *found) one.word += ':';
  }
  if (found) text = lines_of(*found, completion);
  if (or_files) text += fmt::format("{}\n", kFiles);
  co_return print(text);
}

}  // namespace

Completion complete(Grammar& grammar, std::span<const std::string> words) {
  Completion completion;
  if (words.empty()) return completion;
  const Line line = read_line(grammar, words.first(words.size() - 1));
  completion.begun = words.back();
  completion.workload = workload_of(line);
  completion.target.pod = given(line, "pod");
  if (line.option != nullptr) {
    if (completion.begun == "=") completion.begun.clear();
    complete_value(*line.option, line, completion);
  } else if (CLI::Option* option = option_with_value(grammar, line, completion)) {
    complete_value(*option, line, completion);
  } else if (completion.begun.starts_with('-') && !line.only_positionals) {
    add_options(*line.command, completion.words);
    if (line.command != &grammar.app) add_options(grammar.app, completion.words);
  } else if (const CLI::Option* positional = next_positional(line)) {
    complete_value(*positional, line, completion);
  } else if (line.positionals == 0) {
    add_commands(*line.command, completion.words);
  }
  return completion;
}

Command answer_of(Completion completion) {
  switch (completion.kind) {
    case Kind::Workloads:
    case Kind::WorkloadsOrFiles:
    case Kind::Pods:
    case Kind::Containers:
      return RemoteCommand(
          [completion](Context& context) { return ask_server(context, completion); });
    case Kind::Words:
    case Kind::Files:
    case Kind::Clusters: break;
  }
  return LocalCommand([completion](const GlobalOptions& options, const Environment& environment) {
    const bool is_clusters = completion.kind == Kind::Clusters;
    const Candidates found = is_clusters ? clusters(options, environment) : completion.words;
    return print(completion.kind == Kind::Files ? fmt::format("{}\n", kFiles)
                                                : lines_of(found, completion));
  });
}

std::string_view completion_script(Shell shell) {
  switch (shell) {
    case Shell::Bash:
      return R"(_sluice() {
  local IFS=$'\n' answer word=${COMP_WORDS[COMP_CWORD]}
  answer=($(sluice __complete "${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null))
  if [ "${answer[0]}" = :files ]; then
    compopt -o default
    COMPREPLY=()
    return
  fi
  COMPREPLY=("${answer[@]%%$'\t'*}")
  local last=$((${#answer[@]} - 1))
  if [ $last -gt 0 ] && [ "${answer[last]}" = :files ]; then
    unset "COMPREPLY[last]"
    COMPREPLY+=($(compgen -f -- "$word"))
    compopt -o nospace
  fi
}
complete -F _sluice sluice
)";
    case Shell::Zsh:
      // From a folder of $fpath it is read when it is first called for, and then has to answer.
      return R"(#compdef sluice
_sluice() {
  local -a answer shown suffix
  answer=("${(@f)$(sluice __complete "${(@)words[2,CURRENT]}" 2>/dev/null)}")
  if [[ $answer[-1] == :files ]]; then
    _files
    answer[-1]=()
    suffix=(-S '')
  fi
  if [[ -n $answer[1] ]]; then
    shown=("${(@)answer//$'\t'/  -- }")
    compadd -l -d shown "${(@)suffix}" -- "${(@)answer%%$'\t'*}"
  fi
}
if [[ $funcstack[1] == _sluice ]]; then
  _sluice "$@"
else
  compdef _sluice sluice
fi
)";
    case Shell::Fish:
      return R"(function __sluice_complete
  set -l answer (sluice __complete (commandline -opc)[2..] (commandline -ct) 2>/dev/null)
  if test "$answer[-1]" = :files
    __fish_complete_path (commandline -ct)
    set -e answer[-1]
  end
  string join \n -- $answer
end
complete -c sluice -f -a '(__sluice_complete)'
)";
  }
  return {};
}

}  // namespace sluice::cli
