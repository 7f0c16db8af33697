// `fetch`: downloads a known data set, checked, to where `train` finds it. What it does is in
// apps/lib/fetch/fetch.h.
#include "apps/lib/fetch/fetch.h"

#include <algorithm>
#include <optional>
#include <string>
#include <vector>

#include "apps/lib/command_line.h"
#include "datasets/search.h"
#include "framework/base/error.h"
#include "framework/base/text.h"
#include "framework/config/object.h"

namespace pare {
namespace {

struct FetchOptions {
  std::string kind;
  std::string to;
  std::string from;
};

constexpr const char* kFooter = R"(
The files go to DIR/KIND. Without --to, DIR is $XDG_CACHE_HOME/pare or ~/.cache/pare, where train finds them from
any folder. A download that was cut off is continued; files that are there already are only checked.

Examples:
  ./pare fetch mnist
  ./pare fetch cifar10 --to data
  ./pare fetch kmnist --from file:///media/stick/kmnist

Exit codes: 0 done; 1 failed (no curl, full disk, ...); 2 command line; 3 the data could not be had, or are
not the right ones.)";

std::vector<std::string> kinds() {
  std::vector<std::string> names;
  for (const RemoteSet& set : remote_sets()) names.push_back(set.kind);
  return names;
}

std::optional<FetchOptions> parse(int argc, char** argv) {
  FetchOptions o;
  CLI::App app("Downloads a data set with checksums, through the program curl.", "./pare fetch");
  app.footer(kFooter);
  app.add_option("KIND", o.kind, join(kinds(), ", "))->required();
  app.add_option("--to", o.to, "the folder that gets the folder KIND")->type_name("DIR");
  app.add_option("--from", o.from, "a folder with the same files, in place of the known ones")
      ->type_name("URL");
  if (!parse_command_line(app, argc, argv)) return std::nullopt;
  return o;
}

RemoteSet find_set(const FetchOptions& o) {
  const auto sets = remote_sets();
  const auto found = std::find_if(sets.begin(), sets.end(),
                                  [&](const RemoteSet& set) { return set.kind == o.kind; });
  if (found == sets.end()) {
    throw ConfigError("there is no data set '" + o.kind + "' to fetch" +
                      suggestion(o.kind, kinds()) + "; there are: " + join(kinds(), ", "));
  }
  RemoteSet set = *found;
  if (!o.from.empty()) set.mirrors = {o.from};
  return set;
}

int run(int argc, char** argv) {
  const auto options = parse(argc, argv);
  if (!options) return 0;
  const RemoteSet set = find_set(*options);
  Console console;
  const auto searched = data_folders("", [](const std::string&) {});
  fetch(set, options->to.empty() ? searched.back().path : options->to, console);
  const auto is_to = [&](const DataFolder& folder) { return folder.path == options->to; };
  if (!options->to.empty() && std::none_of(searched.begin(), searched.end(), is_to)) {
    console.say("To use it: --data-dir " + options->to + ", or PARE_DATA=" + options->to);
  }
  return 0;
}

}  // namespace
}  // namespace pare

int main(int argc, char** argv) {
  return pare::run_main([&] { return pare::run(argc, argv); });
}
