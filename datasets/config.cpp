// The keys of "dataset", their ranges, and the rules between them.
#include "datasets/config.h"

#include <cmath>

#include "datasets/kinds.h"
#include "framework/config/config.h"

namespace pare {

void IdxFiles::describe(config::Object& o) {
  o.text("images", images, "IDX file of the images, plain or .gz");
  o.text("labels", labels, "IDX file of the labels, plain or .gz");
  o.require("images");
  o.require("labels");
}

void Normalize::describe(config::Object& o) {
  o.list("mean", mean, "one per channel, of the [0,1] values");
  o.field("std", std_dev, config::list(config::real({.above = 0})), "one per channel");
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
    if (row.name != "idx") {
      alternatives.push_back({row.name, [](Object&) {}});
      without_files.push_back(row.name);
      continue;
    }
    alternatives.push_back(
        {row.name, [this](Object& a) {
           a.text(
               "folder", folder,
               "holds train-images-idx3-ubyte, train-labels-idx1-ubyte, t10k-images-idx3-ubyte and "
               "t10k-labels-idx1-ubyte, plain or .gz");
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
  if (kind == "idx" && folder.has_value() == (train.has_value() && test.has_value())) {
    o.fail("", "an idx data set needs either 'folder' or both 'train' and 'test'");
  }
  if (kind == "idx" && folder && (train || test)) {
    o.fail("folder", "expected either 'folder' or 'train' and 'test', got both");
  }
}

}  // namespace pare
