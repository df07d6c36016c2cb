#include "cli/verbs.h"

#include <memory>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "base/text.h"
#include "cli/copy/copy.h"
#include "cli/logs/logs.h"
#include "cli/port/port_forward.h"
#include "cli/process/process.h"
#include "cli/workloads/list.h"
#include "cli/workloads/status.h"

namespace sluice::cli {
namespace {

/// The workload's type, unless the words before the verb say it.
void add_type(CLI::App& app, const std::optional<ClassWord>& word, WorkloadName& name) {
  if (word) {
    name.type = word->type;
    name.framework = word->framework;
    return;
  }
  app.add_option("--type", name.type, "workspace, training, distributed, inference, external")
      ->type_name("TYPE");
  app.add_option("--framework", name.framework,
                 "Of a distributed one: pytorch, tf, mpi, xgboost, jax")
      ->type_name("FRAMEWORK");
}

/// What options are read into lives as long as the command that they are of.
std::shared_ptr<WorkloadName> add_name(CLI::App& app, const std::optional<ClassWord>& word) {
  auto name = std::make_shared<WorkloadName>();
  app.add_option("NAME", name->name, "The workload")->required()->type_name("");
  add_type(app, word, *name);
  return name;
}

void add_target(CLI::App& app, TargetOptions& target) {
  app.add_option("--pod", target.pod, "One of its pods; by default its first or master")
      ->type_name("POD");
  app.add_option("-c,--container", target.container, "One of the pod's containers")
      ->type_name("CONTAINER");
}

CLI::Validator duration_validator(std::optional<nanoseconds>& into) {
  return CLI::Validator(
      [&into](std::string& text) {
        into = parse_duration(text);
        return into && *into >= nanoseconds(0) ? std::string()
                                               : "expected a duration such as 5m or 1h30m";
      },
      "");
}

CLI::Validator time_validator(std::optional<WallTime>& into) {
  return CLI::Validator(
      [&into](std::string& text) {
        into = parse_rfc3339(text);
        return into ? std::string() : "expected a time such as 2026-01-02T03:04:05Z";
      },
      "");
}

CLI::Validator whole_number_validator(std::int64_t least) {
  return CLI::Validator(
      [least](std::string& text) {
        const auto number = parse_int64(text);
        if (number && *number >= least) return std::string();
        return fmt::format("expected a whole number, {} or more, not \"{}\"", least, text);
      },
      "");
}

void add_logs(CLI::App& parent, const std::optional<ClassWord>& word, Chosen& chosen) {
  struct Options : LogsOptions {
    std::string since_text, since_time_text, wait_text;
    std::int64_t tail = -1;
    std::uint64_t limit = 0;
  };
  CLI::App& app = *parent.add_subcommand("logs", "Show a workload's log");
  add_examples(app, {"sluice logs -f my-train",
                     "sluice logs my-train --pod my-train-worker-1 --since 10m --timestamps",
                     "sluice training pytorch logs my-train --previous -t 100"});
  const auto name = add_name(app, word);
  auto options = std::make_shared<Options>();
  add_target(app, options->target);
  app.add_flag("--all-pods", options->all_pods, "All pods and containers, each line with its own")
      ->excludes("--pod");
  app.add_flag("-f,--follow", options->follow,
               "Go on as lines are written; survives lost connections");
  app.add_option("-t,--tail", options->tail, "Only so many of the last lines; -1 is all")
      ->check(whole_number_validator(-1))
      ->type_name("LINES");
  auto* since = app.add_option("--since", options->since_text, "Only what is younger: 5m, 1h30m")
                    ->check(duration_validator(options->since))
                    ->type_name("DURATION");
  app.add_option("--since-time", options->since_time_text, "Only from this time on (RFC 3339)")
      ->check(time_validator(options->since_time))
      ->type_name("TIME")
      ->excludes(since);
  app.add_option("--limit-bytes", options->limit, "At most so many bytes")
      ->check(whole_number_validator(1))
      ->type_name("BYTES");
  app.add_flag("--previous", options->previous, "The log of the container's run before this one");
  app.add_flag("--timestamps", options->timestamps, "Each line with the time it was written");
  app.add_option("-o,--output", options->output, "To this file, which only a whole log replaces")
      ->type_name("FILE");
  app.add_option("--wait-timeout", options->wait_text, "Wait so long for the container to start")
      ->check(duration_validator(options->wait_timeout))
      ->type_name("DURATION");
  choose(app, chosen, RemoteCommand([name, options](Context& context) {
           if (options->tail >= 0) options->tail_lines = static_cast<std::uint64_t>(options->tail);
           if (options->limit > 0) options->limit_bytes = options->limit;
           return run_logs(context, *name, *options);
         }));
}

void add_process_options(CLI::App& app, ProcessOptions& options) {
  add_target(app, options.target);
  app.add_flag("-i,--stdin", options.stdin, "Pass stdin on");
  app.add_flag("-t,--tty", options.tty, "At a terminal");
}

void choose_process(CLI::App& app, std::shared_ptr<WorkloadName> name,
                    std::shared_ptr<ProcessOptions> options, Chosen& chosen) {
  choose(app, chosen,
         RemoteCommand([name = std::move(name), options = std::move(options)](Context& context) {
           return run_process(context, *name, *options);
         }));
}

void add_exec(CLI::App& parent, const std::optional<ClassWord>& word, Chosen& chosen) {
  CLI::App& app = *parent.add_subcommand("exec", "Run a command in a container");
  add_examples(app, {"sluice exec my-train -- nvidia-smi", "sluice exec -it my-notebook -- bash",
                     "tar c . | sluice exec -i my-notebook -- tar x -C /workspace"});
  const auto name = add_name(app, word);
  auto options = std::make_shared<ProcessOptions>();
  add_process_options(app, *options);
  app.add_option("COMMAND", options->command, "The command and its arguments, behind --")
      ->required()
      ->type_name("");
  choose_process(app, name, options, chosen);
}

void add_bash(CLI::App& parent, const std::optional<ClassWord>& word, Chosen& chosen) {
  CLI::App& app = *parent.add_subcommand("bash", "A shell in a container, at this terminal");
  add_examples(app, {"sluice bash my-notebook",
                     "sluice training pytorch bash my-train --pod my-train-worker-1"});
  const auto name = add_name(app, word);
  auto options = std::make_shared<ProcessOptions>();
  add_target(app, options->target);
  options->stdin = true;
  options->tty = true;
  // bash where there is one.
  options->command = {"/bin/sh", "-c", "command -v bash >/dev/null && exec bash || exec sh"};
  choose_process(app, name, options, chosen);
}

void add_attach(CLI::App& parent, const std::optional<ClassWord>& word, Chosen& chosen) {
  CLI::App& app = *parent.add_subcommand("attach", "Join a container's main process");
  add_examples(app,
               {"sluice attach my-train", "sluice attach -it my-notebook --detach-keys ctrl-x"});
  const auto name = add_name(app, word);
  auto options = std::make_shared<ProcessOptions>();
  add_process_options(app, *options);
  options->detach_keys = "ctrl-p,ctrl-q";
  app.add_option("--detach-keys", options->detach_keys,
                 "What leaves it running; ctrl-p,ctrl-q unless given")
      ->type_name("KEYS");
  choose_process(app, name, options, chosen);
}

CLI::Validator port_validator(std::vector<PortMapping>& into) {
  return CLI::Validator(
      [&into](std::string& text) {
        const Result<PortMapping> mapping = parse_port_mapping(text);
        if (!mapping) return mapping.error().message;
        into.push_back(*mapping);
        return std::string();
      },
      "");
}

void add_port_forward(CLI::App& parent, const std::optional<ClassWord>& word, Chosen& chosen) {
  struct Options : PortForwardOptions {
    std::vector<std::string> texts;
  };
  CLI::App& app = *parent.add_subcommand("port-forward", "Lead local ports to ports of a pod");
  add_examples(
      app, {"sluice port-forward my-notebook --port 8888",
            "sluice port-forward my-model --port :8000 --port 9001:9000",
            "ssh -o ProxyCommand=\"sluice port-forward my-notebook --stdio 22\" me@my-notebook"});
  const auto name = add_name(app, word);
  auto options = std::make_shared<Options>();
  add_target(app, options->target);
  app.add_option("--port", options->texts, "LOCAL:REMOTE, or one for both, or :REMOTE; repeatable")
      ->check(port_validator(options->ports))
      ->type_name("PORTS");
  app.add_option("--address", options->address, "Where to listen; 127.0.0.1 unless given")
      ->check(CLI::ValidIPV4)
      ->type_name("ADDRESS");
  app.add_option("--stdio", options->stdio, "This port at stdin and stdout: for ssh's ProxyCommand")
      ->check(CLI::Range(1, 65535).description(""))
      ->type_name("PORT");
  choose(app, chosen, RemoteCommand([name, options](Context& context) {
           return run_port_forward(context, *name, *options);
         }));
}

void add_copy(CLI::App& parent, const std::optional<ClassWord>& word, Chosen& chosen) {
  CLI::App& app = *parent.add_subcommand("cp", "Copy files and directories from or to a container");
  add_examples(app,
               {"sluice cp my-train:/results .", "sluice cp data.tar my-notebook:/home/me/",
                "sluice training pytorch cp my-train:log.txt log.txt --pod my-train-worker-1"});
  auto options = std::make_shared<CopyOptions>();
  app.add_option("SOURCE", options->from, "WORKLOAD:PATH, or a path of this machine")
      ->required()
      ->type_name("");
  app.add_option("TARGET", options->to, "The other one; into it, if it is a directory")
      ->required()
      ->type_name("");
  add_type(app, word, options->workload);
  add_target(app, options->target);
  choose(app, chosen,
         RemoteCommand([options](Context& context) { return run_copy(context, *options); }));
}

void add_describe(CLI::App& parent, const std::optional<ClassWord>& word, Chosen& chosen) {
  CLI::App& app = *parent.add_subcommand("describe", "Show a workload's state and its pods");
  add_examples(app, {"sluice describe my-train", "sluice describe my-train -o json"});
  const auto name = add_name(app, word);
  auto format = std::make_shared<OutputFormat>(OutputFormat::Table);
  add_format(app, *format);
  choose(app, chosen, RemoteCommand([name, format](Context& context) {
           return run_describe(context, *name, *format);
         }));
}

void add_list(CLI::App& parent, const std::optional<ClassWord>& word, Chosen& chosen) {
  CLI::App& app = *parent.add_subcommand("list", "List the project's workloads");
  add_examples(app, {"sluice list", "sluice list --type training -o json",
                     "sluice -p vision workspace list"});
  auto options = std::make_shared<ListOptions>();
  if (word) {
    options->type = word->type;
  } else {
    app.add_option("--type", options->type, "Only workloads of this type")->type_name("TYPE");
  }
  app.add_flag("-w,--watch", options->watch, "Go on as workloads change, a line for each change");
  add_format(app, options->format);
  choose(app, chosen,
         RemoteCommand([options](Context& context) { return run_list(context, *options); }));
}

}  // namespace

void add_verbs(CLI::App& app, const std::optional<ClassWord>& word, Chosen& chosen) {
  add_logs(app, word, chosen);
  add_exec(app, word, chosen);
  add_bash(app, word, chosen);
  add_attach(app, word, chosen);
  add_port_forward(app, word, chosen);
  add_copy(app, word, chosen);
  add_describe(app, word, chosen);
  add_list(app, word, chosen);
}

}  // namespace sluice::cli
