#include "gateway/app/completion.hpp"

#include <CLI/CLI.hpp>

#include <string_view>

namespace concurred::app {

namespace {

/// Everything that may follow a command: its commands, then its options by their long names.
std::string words_of(const CLI::App& command) {
    std::string words;
    for (const CLI::App* sub : command.get_subcommands({})) {
        words.append(sub->get_name()).append(" ");
    }
    for (const CLI::Option* option : command.get_options()) {
        for (const std::string& name : option->get_lnames()) {
            words.append("--").append(name).append(" ");
        }
    }
    if (!words.empty()) {
        words.pop_back();
    }
    return words;
}

void append_cases(std::string& out, const CLI::App& command, const std::string& path) {
    out.append("        '").append(path).append("') words='").append(words_of(command)).append("' ;;\n");
    for (const CLI::App* sub : command.get_subcommands({})) {
        append_cases(out, *sub, path + "/" + sub->get_name());
    }
}

}  // namespace

std::string bash_completion(const CLI::App& app) {
    // A word that is no command is a value: where a command takes a file, files are offered.
    std::string out = R"(# bash completion for concurred; load it with: source <(concurred completion bash)
_concurred() {
    local path='' words='' i
    for ((i = 1; i < COMP_CWORD; i++)); do
        case "$path/${COMP_WORDS[i]}" in
)";
    std::string paths;
    for (const CLI::App* sub : app.get_subcommands({})) {
        const std::string path = "/" + sub->get_name();
        paths.append(paths.empty() ? "" : "|").append(path);
        for (const CLI::App* nested : sub->get_subcommands({})) {
            paths.append("|").append(path).append("/").append(nested->get_name());
        }
    }
    out.append("            ").append(paths).append(R"() path="$path/${COMP_WORDS[i]}" ;;
        esac
    done
    case "$path" in
)");
    append_cases(out, app, "");
    out.append(R"(    esac
    COMPREPLY=($(compgen -W "$words" -- "${COMP_WORDS[COMP_CWORD]}"))
}
complete -o default -F _concurred concurred
)");
    return out;
}

}  // namespace concurred::app
