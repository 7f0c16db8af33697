#include "apps/lib/command_line.h"

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

}  // namespace

bool parse_command_line(CLI::App& app, int argc, const char* const* argv) {
  try {
    app.parse(argc, argv);
  } catch (const CLI::CallForHelp&) {
    print(app.help());
    return false;
  } catch (const CLI::ParseError& error) {
    throw ConfigError(usage_message(app, error));
  }
  return true;
}

}  // namespace pare
