#include "apps/lib/inspect/inspect_run.h"

#include "apps/lib/command_line.h"
#include "apps/lib/inspect/difference.h"
#include "apps/lib/inspect/documents.h"
#include "apps/lib/inspect/techniques.h"
#include "apps/lib/inspect/text.h"
#include "framework/base/error.h"
#include "framework/config/config.h"

namespace pare {
namespace {

constexpr const char* kFooter = R"(
A subject is a run folder, a config, a checkpoint (.h5) or a model.pare. Two of one kind are compared; of runs:
config keys that differ, accuracies, sparsity, bytes, and every layer.

Examples:
  ./pare inspect runs/mnist_qat_prune
  ./pare inspect runs/mnist_qat_prune/model.pare --tree
  ./pare inspect mnist_qat_prune.json
  ./pare inspect runs/mnist_qat_prune runs/seed2
  ./pare inspect --techniques

Exit codes: 0 done; 1 failed; 2 command line or config; 3 a subject is missing, damaged, or none of these.)";

// A result.json may be anything.
std::string described(const config::Json& document, const InspectOptions& o) {
  if (o.json) return config::pretty(document);
  try {
    return to_text(document, {.tree = o.tree});
  } catch (const config::Json::exception& error) {
    throw DataError(o.subjects[0] + ": its result.json is not one of Pare's: " + error.what());
  }
}

std::string difference(const InspectOptions& o) {
  try {
    const config::Json document =
        difference_of(document_of(recognize(o.subjects[0])), document_of(recognize(o.subjects[1])));
    return o.json ? config::pretty(document) : difference_text(document);
  } catch (const config::Json::exception& error) {
    throw DataError(o.subjects[0] + ", " + o.subjects[1] +
                    ": a result.json is not one of Pare's: " + error.what());
  }
}

}  // namespace

std::optional<InspectOptions> parse_inspect_options(int argc, const char* const* argv) {
  InspectOptions o;
  CLI::App app("What is in a run, config, checkpoint or model.", "./pare inspect");
  app.footer(kFooter);
  app.add_option("SUBJECT", o.subjects, "what to look into; a second one: the difference")
      ->expected(0, 2);
  app.add_flag("--techniques", o.techniques, "the methods of compression and their keys");
  app.add_flag("--tree", o.tree, "every node, array and section");
  app.add_flag("--json", o.json, "one JSON document");
  if (!parse_command_line(app, argc, argv)) return std::nullopt;
  if (o.techniques == !o.subjects.empty()) {
    throw ConfigError(
        "expected a run folder, config, checkpoint or model (or two of them), or --techniques "
        "alone; see ./pare inspect --help");
  }
  return o;
}

void inspect_run(const InspectOptions& o) {
  if (o.techniques) {
    const config::Json document = techniques_document();
    return print(o.json ? config::pretty(document) : techniques_text(document));
  }
  if (o.subjects.size() > 1) return print(difference(o));
  print(described(document_of(recognize(o.subjects[0])), o));
}

}  // namespace pare
