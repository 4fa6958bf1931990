#include "bench/load_rig.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <system_error>
#include <thread>

namespace concurred::bench {
namespace {

namespace fs = std::filesystem;
namespace json = boost::json;

constexpr std::chrono::seconds patience{20};
constexpr int gateway_core = 0;
constexpr int other_core = 1;

std::string text_of(const std::string& file) {
    std::ifstream in(file);
    std::ostringstream text;
    text << in.rdbuf();
    return text.str();
}

/// A member of a JSON object as text or number; nothing else is asked for.
std::string member(const std::string& object, std::string_view name) {
    boost::system::error_code failure;
    const json::value parsed = json::parse(object, failure);
    const json::object* members = failure ? nullptr : parsed.if_object();
    const json::value* found = members == nullptr ? nullptr : members->if_contains(name);
    if (found == nullptr) {
        return {};
    }
    return found->is_string() ? std::string(found->get_string()) : json::serialize(*found);
}

void replace_all(std::string& text, std::string_view what, const std::string& by) {
    for (auto at = text.find(what); at != std::string::npos; at = text.find(what, at + by.size())) {
        text.replace(at, what.size(), by);
    }
}

}  // namespace

load_rig::load_rig() : program_(fs::read_symlink("/proc/self/exe").string()) {
    std::string name = (fs::temp_directory_path() / "concurred-bench-XXXXXX").string();
    if (::mkdtemp(name.data()) != nullptr) {
        folder_ = name;
    }
}

load_rig::~load_rig() {
    gateway_.reset();
    redis_.reset();
    mock_.reset();
    std::error_code ignored;
    if (!folder_.empty()) {
        fs::remove_all(folder_, ignored);
    }
}

child_options load_rig::options(std::vector<std::string> command, const std::string& name, int core) const {
    return {std::move(command), folder_, name + ".out", name + ".err", {}, pin_ ? core : -1};
}

bool load_rig::start_mock() {
    mock_ = child_process::start(options({program_, "mock"}, "mock", other_core));
    if (!mock_) {
        return false;
    }
    const std::string line = wait_for_line(*mock_, folder_ + "/mock.out", "listening on ", patience);
    const auto at = line.find("http://");
    if (at == std::string::npos) {
        return false;
    }
    mock_url_ = line.substr(at);
    target_.ledger_url = mock_url_.substr(0, mock_url_.rfind("/v1")) + "/mock/ledger";
    return true;
}

bool load_rig::start_redis() {
    const std::string socket = folder_ + "/redis.sock";
    redis_ = child_process::start(options(
        {"redis-server", "--port", "0", "--unixsocket", socket, "--save", "", "--appendonly", "no", "--dir", folder_},
        "redis", other_core));
    redis_url_ = "unix://" + socket;
    return redis_ && !wait_for_line(*redis_, folder_ + "/redis.out", "eady to accept connections", patience).empty();
}

void load_rig::write_settings(const scenario& plan) {
    std::ofstream file(folder_ + "/concurred.toml");
    std::vector<std::pair<std::string, std::string>> settings{
        {"log.access", "false"},
        {"providers.openai.base_url", "\"{mock}\""},
        {"providers.openai.api_key", "\"mock-provider-key\""},
    };
    if (plan.redis) {
        settings.emplace_back("redis.url", "\"" + redis_url_ + "\"");
    }
    for (const auto& [key, value] : plan.gateway) {
        std::erase_if(settings, [&key](const auto& own) { return own.first == key; });
        settings.emplace_back(key, value);
    }
    for (auto& [key, value] : settings) {
        replace_all(value, "{mock}", mock_url_);
        file << key << " = " << value << '\n';
    }
}

std::optional<std::string> load_rig::ask(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), program_);
    const std::string output = folder_ + "/ask.out";
    std::error_code ignored;
    fs::remove(output, ignored);
    auto child = child_process::start(options(std::move(arguments), "ask", other_core));
    if (!child || child->wait() != 0) {
        return std::nullopt;
    }
    return text_of(output);
}

bool load_rig::make_keys(const std::string& name, const key_set& set) {
    for (unsigned i = 0; i < set.count; ++i) {
        const auto made = ask({"keys", "create", "--name", name + std::to_string(i), "--rate-limit",
                               std::to_string(set.rate_limit), "--json"});
        if (!made || (set.revoked && !ask({"keys", "revoke", member(*made, "keyId")}))) {
            return false;
        }
        target_.keys[name].push_back(member(*made, "key"));
    }
    return true;
}

bool load_rig::start_gateway(const scenario& plan) {
    write_settings(plan);
    for (const auto& [name, set] : plan.keys) {
        if (!make_keys(name, set)) {
            return false;
        }
    }
    std::vector<std::string> command{program_, "serve", "--listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0"};
    if (pin_) {
        command.insert(command.end(), {"--shards", "1"});
    }
    gateway_ = child_process::start(options(std::move(command), "gateway", gateway_core));
    if (!gateway_) {
        return false;
    }
    const std::string line = wait_for_line(*gateway_, folder_ + "/gateway.err", "\"listening\"", patience);
    target_.url = "http://127.0.0.1:" + member(line, "port") + "/api/v1";
    target_.model_prefix = "openai/";
    target_.process = gateway_->id();
    return !line.empty();
}

std::unique_ptr<load_rig> load_rig::start(const scenario& plan, bool pin, std::string& complaint) {
    std::unique_ptr<load_rig> rig(new load_rig);
    rig->pin_ = pin && std::thread::hardware_concurrency() > 1;
    if (rig->folder_.empty()) {
        complaint = "no temporary folder can be made";
    } else if (!rig->start_mock()) {
        complaint = "the mock provider does not start: " + text_of(rig->folder_ + "/mock.err");
    } else if (plan.redis && !rig->start_redis()) {
        complaint = "redis-server does not start: " + text_of(rig->folder_ + "/redis.out");
    } else if (!rig->start_gateway(plan)) {
        complaint = "the gateway does not start: " + text_of(rig->folder_ + "/ask.err") +
                    text_of(rig->folder_ + "/gateway.err");
    } else {
        return rig;
    }
    return nullptr;
}

void load_rig::act(const load_action& action, bool resume) noexcept {
    auto& process = action.to == "gateway" ? gateway_ : action.to == "redis" ? redis_ : mock_;
    if (process) {
        process->send(action.signal != 0 ? action.signal : resume ? SIGCONT : SIGSTOP);
    }
}

int load_rig::stop_gateway() noexcept {
    return gateway_ ? gateway_->end(SIGINT, patience) : -1;
}

}  // namespace concurred::bench
