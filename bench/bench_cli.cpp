#include "bench/bench_cli.hpp"

#include <CLI/CLI.hpp>

namespace concurred::bench {
namespace {

void add_run_options(CLI::App& command, bench_options& options) {
    command.add_option("--json", options.json_file, "write the report as JSON")->type_name("FILE");
    command.add_option("--html", options.html_file, "write the report as a page")->type_name("FILE");
    command.add_flag("--pin", options.pin, "gateway on the first core, mock provider on the second");
    command.add_option("--for", options.length, "stretch or shorten the run to this time, e.g. 60s")->type_name("TIME");
    command.add_option("--level", options.level, "requests per second (open loop) or at a time (closed loop)")
        ->type_name("N")
        ->check(CLI::PositiveNumber);
    command.add_option("--connections", options.connections, "most connections of an open loop")
        ->type_name("N")
        ->check(CLI::Range(1U, 1'000'000U));
    command.add_option("--threads", options.threads, "threads of the load generator")
        ->type_name("N")
        ->check(CLI::Range(1U, 64U));
}

void add_target_options(CLI::App& command, bench_options& options) {
    constexpr const char* group = "A target that runs already";
    command.add_option("--target", options.target, "base URL of its API, e.g. http://127.0.0.1:8080/api/v1")
        ->type_name("URL")
        ->group(group);
    command.add_option("--key", options.keys, "API key, or SET=KEY for a set of the scenario; may be repeated")
        ->type_name("KEY")
        ->allow_extra_args(false)
        ->group(group);
    command.add_option("--header", options.fields, "header field of each request; may be repeated")
        ->type_name("'NAME: VALUE'")
        ->allow_extra_args(false)
        ->check([](const std::string& text) -> std::string {
            const auto colon = text.find(": ");
            const bool plain = text.find_first_of("\r\n") == std::string::npos;
            return plain && colon != std::string::npos && colon > 0 ? "" : "needs NAME: VALUE";
        })
        ->group(group);
    command.add_option("--model-prefix", options.model_prefix, "stands before the mock provider's models")
        ->type_name("TEXT")
        ->capture_default_str()
        ->group(group);
    command.add_option("--pid", options.process, "its process, whose CPU time and memory are read")
        ->type_name("N")
        ->check(CLI::PositiveNumber)
        ->group(group);
    command.add_option("--ledger", options.ledger_url, "URL of the mock provider's ledger behind it")
        ->type_name("URL")
        ->group(group);
    command.add_option("--ca-file", options.ca_file, "PEM with further trusted certificates, for https")
        ->type_name("FILE")
        ->group(group);
    command.add_flag("--allow-remote", options.anywhere, "the target may be another machine, which you may load")
        ->group(group);
}

void add_compare(CLI::App& command, compare_options& options) {
    command.add_option("A", options.a, "report, or several of the same scenario with commas between")
        ->type_name("")
        ->required();
    command.add_option("B", options.b, "the same of the other side")->type_name("")->required();
    command.add_option("--tolerance", options.tolerance, "percent that do not matter")
        ->type_name("N")
        ->check(CLI::Range(0.0, 1000.0))
        ->capture_default_str();
    command.add_flag("--json", options.json, "print JSON");
    command.footer(
        "Ratios of medians with 95 % bootstrap intervals: of the reports' windows, or, with several reports a side, "
        "of\n"
        "whole runs, which is what to trust. Exit codes: 0 nothing is worse, 1 something is, 69 not comparable.");
}

}  // namespace

void add_bench_command(CLI::App& command, bench_choice& choice, std::function<int()>& chosen) {
    command.require_subcommand(1);
    CLI::App* run = command.add_subcommand("run", "Run a scenario: against a gateway started for it, or a target");
    run->add_option("SCENARIO", choice.run.scenario, "a name from 'bench list', or a TOML file")
        ->type_name("")
        ->required();
    add_run_options(*run, choice.run);
    add_target_options(*run, choice.run);
    run->footer(
        "Exit codes: 0 passed, 1 an expectation of the scenario does not hold, 69 invalid (the generator was late) or\n"
        "something did not start, 78 the scenario is wrong.\n"
        "\n"
        "Examples:\n"
        "  concurred bench run unary-1k --pin --html report.html\n"
        "  concurred bench run my.toml --target http://127.0.0.1:8080/api/v1 --key ck_... --json a.json");
    run->callback([&] { chosen = [&choice] { return run_bench(choice.run); }; });

    CLI::App* quick = command.add_subcommand("quick", "The scenario 'quick', in less than a minute");
    add_run_options(*quick, choice.run);
    quick->callback([&] {
        choice.run.scenario = "quick";
        chosen = [&choice] { return run_bench(choice.run); };
    });

    CLI::App* compare = command.add_subcommand("compare", "Compare reports of two sides");
    add_compare(*compare, choice.compare);
    compare->callback([&] { chosen = [&choice] { return run_compare(choice.compare); }; });

    CLI::App* report = command.add_subcommand("report", "Make the page of a JSON report");
    report->add_option("JSON", choice.report, "the report")->type_name("")->required();
    report->add_option("HTML", choice.page, "the page to write")->type_name("")->required();
    report->callback([&] { chosen = [&choice] { return render_report(choice.report, choice.page); }; });

    CLI::App* list = command.add_subcommand("list", "List the scenarios that are part of the program");
    list->callback([&] { chosen = [] { return list_scenarios(); }; });
}

}  // namespace concurred::bench
