#include "apps/lib/command_line.h"

#include <cstdio>
#include <exception>
#include <new>

#include "framework/base/error.h"
#include "framework/base/text.h"

namespace pare {
namespace {

std::vector<std::string> option_names(const CLI::App& app) {
  std::vector<std::string> names;
  for (const CLI::Option* option : app.get_options()) {
    for (const std::string& name : option->get_lnames()) names.push_back("--" + name);
  }
  return names;
}

std::string usage_message(const CLI::App& app, const CLI::ParseError& error) {
  const std::string help = "; see " + app.get_name() + " --help";
  for (const std::string& word : app.remaining()) {
    const std::string name = word.substr(0, word.find('='));
    return "unknown argument '" + word + "'" + suggestion(name, option_names(app)) + help;
  }
  return error.what() + help;
}

int failed(ExitCode code, const char* kind, const char* message) {
  std::fprintf(stderr, "%s: %s\n", kind, message);
  return static_cast<int>(code);
}

}  // namespace

bool parse_command_line(CLI::App& app, int argc, const char* const* argv) {
  try {
    app.parse(argc, argv);
  } catch (const CLI::CallForHelp&) {
    std::fputs(app.help().c_str(), stdout);
    return false;
  } catch (const CLI::ParseError& error) {
    throw ConfigError(usage_message(app, error));
  }
  return true;
}

int run_main(const std::function<int()>& run) {
  try {
    return run();
  } catch (const Error& error) {
    return failed(error.code(), "error", error.what());
  } catch (const std::bad_alloc&) {
    return failed(ExitCode::failed, "error", "out of memory; try a smaller dataset.batch_size");
  } catch (const std::exception& error) {
    return failed(ExitCode::failed, "internal error", error.what());
  }
}

void print(const std::string& text) {
  std::fwrite(text.data(), 1, text.size(), stdout);
  std::fflush(stdout);
}

}  // namespace pare
