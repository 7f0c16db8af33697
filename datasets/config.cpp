// The keys of "dataset", their ranges, and the rules between them.
#include "datasets/config.h"

#include <cmath>
#include <span>

#include "datasets/kinds.h"
#include "datasets/own_data.h"
#include "framework/config/config.h"
#include "framework/config/object.h"

namespace pare {

namespace {

// The kinds that are files of the user's own.
bool is_own(const std::string& kind) { return kind == "idx" || kind == "npy"; }

std::string names_text(std::span<const char* const, 4> names) {
  return std::string("holds ") + names[0] + ", " + names[1] + ", " + names[2] + " and " + names[3] +
         ", plain or .gz";
}

}  // namespace

void ImageFiles::describe(config::Object& o) {
  o.text("images", images, "file of the images, plain or .gz");
  o.text("labels", labels, "file of the labels, plain or .gz");
  o.require("images");
  o.require("labels");
}

void Normalize::describe(config::Object& o) {
  o.field("mean", mean, config::list(config::real({.min = -1e30, .max = 1e30})),
          "one per channel, of the [0,1] values");
  o.field("std", std_dev, config::list(config::real({.min = 1e-30, .max = 1e30})),
          "one per channel");
  o.require("mean");
  o.require("std");
  if (mean.empty()) o.fail("mean", "expected one value per channel, got none");
  if (mean.size() != std_dev.size()) {
    o.fail("std", "expected as many values as 'mean' has (" + std::to_string(mean.size()) +
                      "), got " + std::to_string(std_dev.size()));
  }
}

config::Type<Normalize> Normalize::type() {
  const config::Type<Normalize> values = config::object<Normalize>();
  const config::Type<std::string> word = config::choice({"default", "none"});
  return {
      .read =
          [=](const config::Node& node, Normalize& x) {
            if (!node.is_text() && !node.is_object()) {
              node.expected("\"default\", \"none\" or an object with mean and std");
            }
            x = {};
            if (node.is_object()) {
              x.source = Source::given;
              return values.read(node, x);
            }
            std::string name;
            word.read(node, name);
            x.source = name == "none" ? Source::none : Source::by_dataset;
          },
      .write =
          [=](const Normalize& x) {
            if (x.source == Source::given) return values.write(x);
            return config::Json(x.source == Source::none ? "none" : "default");
          },
      .name = "text or object",
      .allowed = "default, none, or mean and std",
      .schema =
          [=] {
            return config::Json{{"anyOf", config::Json::array({word.schema(), values.schema()})}};
          },
      .inside = values.inside};
}

void DatasetConfig::describe(config::Object& o) {
  using config::Object;
  std::vector<config::Alternative> alternatives;
  std::vector<std::string> without_files;
  for (const DatasetKind& row : dataset_kinds()) {
    if (!is_own(row.name)) {
      alternatives.push_back({row.name, [](Object&) {}});
      without_files.push_back(row.name);
      continue;
    }
    const auto names = row.name == "idx" ? std::span(kIdxNames) : std::span(kNpyNames);
    alternatives.push_back({row.name, [this, names](Object& a) {
                              a.text("folder", folder, names_text(names));
                              a.object("train", train, "the training files, in place of 'folder'");
                              a.object("test", test, "the test files, in place of 'folder'");
                            }});
  }
  o.alternatives("kind", kind, alternatives, "which data");
  o.choice("fallback", fallback, without_files,
           "the kind used, loudly, where the data are not found; null: none");
  o.integer("batch_size", batch_size, {.min = 1, .max = 65536}, "images per training step");
  o.real("validation", validation, {.min = 0},
         "training images set aside for validation: a count, or a fraction below 1; stratified");
  o.integer("limit", limit, {.min = 1}, "only the first images of each split; null: all");
  o.list("augment", augment, "random changes of training images, in this order");
  o.field("normalize", normalize, Normalize::type(),
          "what follows the bytes' way to [0,1]: (x - mean) / std of the data set, of your own, or "
          "none");

  if (validation >= 1 && validation != std::floor(validation)) {
    o.fail("validation", "expected a fraction below 1 or a whole number of images");
  }
  if (!is_own(kind)) return;
  if (folder.has_value() == (train.has_value() && test.has_value())) {
    o.fail("", "an " + kind + " data set needs either 'folder' or both 'train' and 'test'");
  }
  if (folder && (train || test)) {
    o.fail("folder", "expected either 'folder' or 'train' and 'test', got both");
  }
}

}  // namespace pare
