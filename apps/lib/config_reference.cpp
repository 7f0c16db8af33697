// Sections follow the top-level keys. What several keys share (a schedule, a phase's optimizer, the
// quantizers of an override) is documented once, where it is at home.
#include "apps/lib/config_reference.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <vector>

#include "apps/lib/run_config.h"
#include "framework/config/config.h"

namespace pare {
namespace {

using config::Entry;
using config::Json;

constexpr const char* kHead =
    R"(# The keys of a config

This page is written by the program from the structs that read a config; to write it anew:
`cmake --build build/release --target config_reference`. [config.schema.json](config.schema.json), written with it, lets
an editor complete keys and mark mistakes: begin a config with `"$schema": "../docs/config.schema.json"`.

A config is one JSON object; `//` and `/* */` comments are allowed. An unknown key, a key given twice, a wrong type or a value out
of range is an error before any training, with file, line and column.

* `"_base_": "other.json"` (or a list of paths, later ones win) puts the config on top of another one, key by key; lists and single
  values replace. `"_delete_": true` in an object drops what it inherits.
* `--set optimizer.learning_rate=0.01` changes a key from the command line, after all files.
* `train --print-config` shows a config with every default written out.

`[]` stands for the entries of a list, `<name>` for a name of your choice. A key with a *where* belongs to one alternative and is
an unknown key elsewhere. A schedule is a number or an object: see [Schedules](#schedules).
)";

constexpr const char* kSchedules =
    R"(A number is a constant. Positions are counted from the start of the phase, as a fraction of it unless `unit` says otherwise, and an end
after the end of the phase is an error. The target is reached exactly on the last update, whatever the frequency.
[optimizers.md](optimizers.md#schedules) has the formulas. For a sparsity `from` is 0 where it is left out, `to` must be given, and
`frequency` is 100; for a learning rate `from` must be given.
)";

// A key whose object is documented elsewhere.
const std::map<std::string, std::string>& elsewhere() {
  static const std::map<std::string, std::string> places = {
      {"phases[].optimizer", "the keys of [optimizer](#optimizer)"},
      {"phases[].loss", "the keys of [loss](#loss)"},
      {"strategy.optimizer.dense", "the keys of [optimizer](#optimizer)"},
      {"strategy.optimizer.stage", "the keys of [optimizer](#optimizer)"},
      {"strategy.optimizer.recover", "the keys of [optimizer](#optimizer)"},
      {"compression.<name>.overrides[].weights", "the keys of `weights` above"},
      {"compression.<name>.overrides[].activations", "the keys of `activations` above"}};
  return places;
}

// A schedule alone, with its keys.
struct OneSchedule {
  Schedule schedule;
  void describe(config::Object& o) {
    o.field("schedule", schedule, schedule_type(ScheduleUse::learning_rate), "");
  }
};

bool is_schedule(const Entry& entry) { return entry.type == "number or schedule"; }

// Whether the path lies inside an object that another section documents.
bool is_inside(const std::string& path, const std::vector<std::string>& closed) {
  return std::any_of(closed.begin(), closed.end(), [&](const std::string& outer) {
    return path.starts_with(outer + ".") || path.starts_with(outer + "[]");
  });
}

std::string escaped(const std::string& text) {
  std::string result;
  for (const char c : text) result += c == '|' ? "\\|" : c == '<' ? "&lt;" : std::string(1, c);
  return result;
}

std::string row(const Entry& entry, const std::string& name) {
  std::string type = entry.type;
  if (!entry.allowed.empty())
    type += type == "string" ? ": " + entry.allowed : ", " + entry.allowed;
  std::string meaning = entry.doc;
  if (const auto found = elsewhere().find(entry.path); found != elsewhere().end()) {
    meaning += "; " + found->second;
  }
  if (!entry.when.empty()) meaning += fmt::format(" (where {})", entry.when);
  const std::string value = entry.default_value.size() > 60 ? "" : entry.default_value;
  return fmt::format("| `{}` | {} | {} | {} |\n", name, escaped(type),
                     value.empty() ? "" : fmt::format("`{}`", escaped(value)), escaped(meaning));
}

constexpr const char* kTableHead = "\n| key | type | default | meaning |\n|---|---|---|---|\n";

std::string top_of(const std::string& path) { return path.substr(0, path.find_first_of(".[")); }

std::string schedule_table() {
  std::string text = kTableHead;
  for (const Entry& entry : config::document<OneSchedule>()) {
    const std::string prefix = "schedule.";
    if (entry.path.starts_with(prefix)) text += row(entry, entry.path.substr(prefix.size()));
  }
  return text;
}

// A schema in which large parts that occur more than once stand under "definitions".
class Sharing {
 public:
  explicit Sharing(Json schema) : schema_(std::move(schema)) { count(schema_); }

  Json result() {
    Json shared = share(schema_, true);
    shared["definitions"] = std::move(definitions_);
    return shared;
  }

 private:
  static constexpr std::size_t kLarge = 300;  // characters

  static bool may_be_shared(const Json& json) {
    return json.is_object() && (json.contains("properties") || json.contains("anyOf"));
  }

  void count(const Json& json) {
    if (may_be_shared(json)) ++times_[json.dump()];
    if (!json.is_structured()) return;
    for (const Json& part : json) count(part);
  }

  Json share(const Json& json, bool is_definition) {
    if (!json.is_structured()) return json;
    if (!is_definition && may_be_shared(json)) {
      const std::string text = json.dump();
      if (text.size() > kLarge && times_[text] > 1) return reference(text, json);
    }
    Json result = json;
    for (Json& part : result) part = share(part, false);
    return result;
  }

  Json reference(const std::string& text, const Json& json) {
    if (!names_.contains(text)) {
      const std::string name = fmt::format("part{}", names_.size() + 1);
      names_[text] = name;
      Json body = share(json, true);
      definitions_[name] = std::move(body);
    }
    return {{"$ref", "#/definitions/" + names_[text]}};
  }

  Json schema_;
  std::map<std::string, int> times_;
  std::map<std::string, std::string> names_;  // of parts by their text
  Json definitions_ = Json::object();
};

}  // namespace

std::string config_reference() {
  std::string text = kHead;
  std::string top = "\n## Top level\n";
  top += kTableHead;
  std::string sections;
  std::vector<std::string> closed;
  std::string section;
  for (const Entry& entry : config::document<RunConfig>()) {
    if (entry.path == top_of(entry.path)) {
      top += row(entry, entry.path);
    } else if (!is_inside(entry.path, closed)) {
      if (section != top_of(entry.path)) {
        section = top_of(entry.path);
        sections += fmt::format("\n## {}\n{}", section, kTableHead);
      }
      std::string name = entry.path.substr(section.size());
      for (const std::string prefix : {"[]", ".<name>", "."}) {
        if (name.starts_with(prefix)) name = name.substr(prefix.size());
      }
      sections += row(entry, name.starts_with(".") ? name.substr(1) : name);
    }
    if (is_schedule(entry) || elsewhere().contains(entry.path)) closed.push_back(entry.path);
  }
  return text + top + sections + "\n## Schedules\n\n" + kSchedules + schedule_table();
}

std::string config_schema() {
  return config::pretty(Sharing(config::schema<RunConfig>()).result());
}

}  // namespace pare
