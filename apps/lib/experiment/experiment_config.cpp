// The keys of an experiment. Values along axes stay config::Values until a cell is read as a
// RunConfig: a mistake in one is reported at its place in the experiment's file.
#include "apps/lib/experiment/experiment_config.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <set>

#include "apps/lib/experiment/figures.h"
#include "apps/lib/run_config.h"
#include "framework/base/error.h"
#include "framework/base/text.h"
#include "framework/config/config.h"

namespace pare {
namespace {

namespace fs = std::filesystem;
using config::Json;
using config::Node;

// Plain columns of the tables, which an axis cannot be called.
constexpr const char* kTaken[] = {"run", "dataset", "seed", "dense"};

// A path is only checked where it is used: by the reader of the cell's config.
std::vector<Change> read_changes(const Node& node) {
  std::vector<Change> changes;
  for (const auto& [path, value] : node.members()) {
    if (path == "seed") value.fail("seeds belong in 'seeds'");
    changes.push_back({path, value.value()});
  }
  return changes;
}

Json write_changes(const std::vector<Change>& changes) {
  Json json = Json::object();
  for (const Change& change : changes) json[change.path] = to_json(change.value);
  return json;
}

config::Type<std::vector<Change>> changes_type() {
  return {.read = [](const Node& node, std::vector<Change>& x) { x = read_changes(node); },
          .write = write_changes,
          .name = "object of path -> value",
          .schema =
              [] {
                return Json{{"type", "object"}};
              }};
}

void read_condition(const Node& node, Condition& x) {
  x = {.tests = {}, .written = node.value()};
  for (const auto& [what, value] : node.members()) {
    Condition::Test test{.what = what, .values = {}};
    const Json json = to_json(value.value());
    if (json.is_array()) {
      test.values.assign(json.begin(), json.end());
    } else {
      test.values.push_back(json);
    }
    x.tests.push_back(std::move(test));
  }
  if (x.tests.empty()) node.fail("expected {axis or path: value or [values]}, got none");
}

bool is_labelled(const Node& item) {
  return item.is_object() && item.value().find("label") && item.value().find("set");
}

AxisPoint labelled_point(const Node& item) {
  AxisPoint point;
  for (const auto& [key, value] : item.members()) {
    if (key == "label") {
      point.label = value.text();
    } else if (key == "set") {
      point.changes = read_changes(value);
    } else if (key == "where") {
      read_condition(value, point.where.emplace());
    } else {
      value.fail("expected the keys 'label', 'set' and 'where' and no other");
    }
  }
  point.value = point.label;
  return point;
}

AxisPoint plain_point(const std::string& path, const Node& item) {
  const Json json = to_json(item.value());
  return {.label = json.is_string() ? json.get<std::string>() : json.dump(),
          .value = json,
          .changes = {{path, item.value()}}};
}

// Its column would be mistaken for another.
void require_axis_name(const std::string& name, const Node& node) {
  if (name.empty()) node.fail("an axis needs a name or a config path");
  const std::vector<std::string> figures = result_figures();
  const bool taken = std::count(std::begin(kTaken), std::end(kTaken), name) > 0 ||
                     std::count(figures.begin(), figures.end(), name) > 0;
  if (!taken) return;
  const std::string advice = name == "seed" ? "give seeds as \"seeds\": [1, 2, 3]"
                                            : fmt::format("call it 'target {}'", name);
  node.fail(fmt::format("'{}' is a column of results.csv already; {}", name, advice));
}

Axis read_axis(const std::string& name, const Node& node) {
  require_axis_name(name, node);
  Axis axis{.name = name};
  std::set<std::string> labels;
  const std::vector<Node> items = node.items();
  const bool labelled = !items.empty() && is_labelled(items[0]);
  for (const Node& item : items) {
    if (labelled && !is_labelled(item)) item.expected("{\"label\": ..., \"set\": {...}} as before");
    axis.points.push_back(labelled ? labelled_point(item) : plain_point(name, item));
    if (!labels.insert(axis.points.back().label).second)
      item.fail(fmt::format("'{}' is there twice", axis.points.back().label));
  }
  if (axis.points.empty()) node.fail("expected at least one value");
  return axis;
}

Json write_point(const std::string& axis, const AxisPoint& point) {
  if (point.changes.size() == 1 && point.changes[0].path == axis) return point.value;
  Json json = {{"label", point.label}, {"set", write_changes(point.changes)}};
  if (point.where) json["where"] = to_json(point.where->written);
  return json;
}

config::Type<std::vector<Axis>> axes_type() {
  return {.read =
              [](const Node& node, std::vector<Axis>& x) {
                x.clear();
                for (const auto& [name, child] : node.members())
                  x.push_back(read_axis(name, child));
              },
          .write =
              [](const std::vector<Axis>& x) {
                Json json = Json::object();
                for (const Axis& axis : x) {
                  Json points = Json::array();
                  for (const AxisPoint& point : axis.points)
                    points.push_back(write_point(axis.name, point));
                  json[axis.name] = std::move(points);
                }
                return json;
              },
          .name = "object of path -> values, or name -> labelled sets",
          .schema =
              [] {
                return Json{{"type", "object"}};
              }};
}

config::Type<Condition> condition_type() {
  return {.read = read_condition,
          .write = [](const Condition& x) { return to_json(x.written); },
          .name = "object of axis or path -> value or values",
          .schema =
              [] {
                return Json{{"type", "object"}};
              }};
}

config::Type<std::vector<std::uint64_t>> seeds_type() {
  return config::list(config::integer<std::uint64_t>({.min = 0}));
}

void require_distinct(const std::vector<std::uint64_t>& seeds, const std::string& path,
                      config::Object& o) {
  if (seeds.empty()) o.fail(path, "expected at least one seed");
  if (std::set(seeds.begin(), seeds.end()).size() != seeds.size())
    o.fail(path, "expected different seeds");
}

// Beside the experiment's own file first. A last part with '*' stands for all files that match.
std::vector<std::string> files_of(const Node& node) {
  const fs::path given = node.text();
  const fs::path beside = (fs::path(node.folder()) / given).lexically_normal();
  if (given.filename().string().find('*') == std::string::npos)
    return {fs::is_regular_file(beside) ? beside.string() : given.string()};
  std::vector<std::string> files;
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator(beside.parent_path(), ignored)) {
    if (matches(given.filename().string(), entry.path().filename().string()))
      files.push_back(entry.path().string());
  }
  if (files.empty()) node.fail("no file matches " + beside.string());
  std::sort(files.begin(), files.end());
  return files;
}

config::Type<std::vector<std::string>> bases_type() {
  return {.read =
              [](const Node& node, std::vector<std::string>& x) {
                x.clear();
                if (!node.is_list()) return x.assign(1, files_of(node).at(0));
                for (const Node& item : node.items()) {
                  for (std::string& file : files_of(item)) x.push_back(std::move(file));
                }
                if (x.empty()) node.fail("expected at least one config");
              },
          .write = [](const std::vector<std::string>& x) { return Json(x); },
          .name = "path, or list of paths (with * in their last part)",
          .schema =
              [] {
                return Json{{"type", {"string", "array"}}};
              }};
}

void add_axis_of_bases(ExperimentConfig& experiment) {
  if (experiment.bases.size() < 2) return;
  Axis axis{.name = "base"};
  for (const std::string& base : experiment.bases) {
    const std::string stem = fs::path(base).stem().string();
    axis.points.push_back({.label = stem, .value = stem, .changes = {}, .base = base});
  }
  experiment.axes.insert(experiment.axes.begin(), std::move(axis));
}

}  // namespace

void MoreSeeds::describe(config::Object& o) {
  o.field("where", where, condition_type(), "which cells, as in exclude");
  o.require("where");
  o.field("seeds", seeds, seeds_type(), "seeds that only these cells have");
  o.require("seeds");
}

void Contrast::describe(config::Object& o) {
  o.text("name", name, "how tables call it; default: both points");
  o.field("a", a, condition_type(), "axis -> point");
  o.require("a");
  o.field("b", b, condition_type(), "other points of the same axes; the difference is a - b");
  o.require("b");
  for (const Condition* side : {&a, &b}) {
    for (const Condition::Test& test : side->tests) {
      if (test.values.size() != 1) o.fail(side == &a ? "a" : "b", "expected one point an axis");
    }
  }
}

void Correlation::describe(config::Object& o) {
  o.text("name", name, "how tables call it");
  o.object("x", x, "a contrast, {\"a\", \"b\"}");
  o.require("x");
  o.object("y", y, "another one");
  o.require("y");
}

void Published::Value::describe(config::Object& o) {
  o.field("where", where, condition_type(), "which cells, as in exclude");
  o.require("where");
  o.real("value", value, "as results.csv would say it: a fraction");
  o.require("value");
}

void Published::describe(config::Object& o) {
  o.text("source", source, "the title of the column");
  o.require("source");
  o.list("values", values, "the numbers, beside the first figure");
}

void ExperimentReport::describe(config::Object& o) {
  o.field("figures", figures, config::list(config::choice(result_figures())),
          "columns of the tables; the first one is what is compared");
  o.list("compare", compare, "pairs of cells whose runs are compared seed by seed");
  o.list("correlate", correlate, "whether one difference follows another one over the cells");
  o.real("margin", margin, {.above = 0}, "differences of the first figure that count as none");
  o.boolean("dense", dense,
            "also train without compression, with the updates and rates of each cell that "
            "compresses");
  o.text("note", note, "what a reader of the tables has to know; stands above them");
  o.object("published", published, "numbers of others, in a column of their own");
  if (figures.empty()) o.fail("figures", "expected at least one figure");
}

namespace {

// "dense", "phases", or null for no sharing.
config::Type<Sharing> share_type() {
  const config::Type<std::optional<std::string>> word =
      config::optional(config::choice({"dense", "phases"}));
  return {.read =
              [word](const Node& node, Sharing& x) {
                std::optional<std::string> given;
                word.read(node, given);
                x = !given ? Sharing::none : *given == "dense" ? Sharing::dense : Sharing::phases;
              },
          .write =
              [](const Sharing& x) {
                if (x == Sharing::none) return Json();
                return Json(x == Sharing::dense ? "dense" : "phases");
              },
          .name = word.name,
          .allowed = word.allowed,
          .schema = word.schema};
}

}  // namespace

void ExperimentConfig::describe(config::Object& o) {
  o.text("name", name, "names the folder; default: the stem of the file");
  o.field("base", bases, bases_type(),
          "the run that everything is a change of; several make an axis of their own");
  o.require("base");
  o.field("set", set, changes_type(), "changes of the base that hold in every cell");
  o.field("axes", axes, axes_type(), "what is varied; every combination is a cell");
  o.field("exclude", exclude, config::list(condition_type()), "cells that are left out");
  o.field("seeds", seeds, seeds_type(), "every cell is run once with each");
  o.list("more_seeds", more_seeds, "further seeds for some of the cells");
  o.field(
      "share", share, share_type(),
      "runs of a seed branch from a beginning that they have in common, trained once: dense: its "
      "dense phases; phases: any");
  o.boolean("keep_checkpoints", keep_checkpoints,
            "false: a finished run keeps its results and its model");
  o.object("report", report, "what is shown");
  require_distinct(seeds, "seeds", o);
  if (o.given("name") && !is_folder_name(name))
    o.fail("name", std::string("expected ") + kFolderNames);
}

ExperimentConfig load_experiment_config(const std::string& path) {
  std::string file = path;
  try {
    file = find_config(path);
  } catch (const ConfigError&) {
    if (fs::path(path).is_absolute()) throw;
    file = find_config("experiments/" + path);
  }
  ExperimentConfig experiment = config::read<ExperimentConfig>(config::load_file(file));
  add_axis_of_bases(experiment);
  if (experiment.name.empty()) experiment.name = default_name(file);
  return experiment;
}

}  // namespace pare
