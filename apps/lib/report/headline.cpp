#include "apps/lib/report/headline.h"

#include <fmt/format.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "apps/lib/report/html.h"
#include "framework/base/text.h"

namespace pare::report {
namespace {

using config::Json;

// Wilson's score interval at 95 % (Wilson 1927, "Probable inference, the law of succession, and
// statistical inference").
std::string interval(double p, double n) {
  constexpr double z = 1.959964;
  const double middle = (p + z * z / (2 * n)) / (1 + z * z / n);
  const double half = z / (1 + z * z / n) * std::sqrt(p * (1 - p) / n + z * z / (4 * n * n));
  return fmt::format("{:.2f} to {:.2f} %", 100 * std::max(0.0, middle - half),
                     100 * std::min(1.0, middle + half));
}

std::string accuracy_card(const char* name, const Json& accuracy, double images,
                          const std::string& meaning) {
  const std::string value = accuracy.is_null() ? "–" : percent(accuracy.get<double>());
  const std::string range =
      accuracy.is_null()
          ? ""
          : "<small>95 % interval " + interval(accuracy.get<double>(), images) + "</small>";
  return fmt::format("<div class=\"card {}\"><h3>{}</h3><b>{}</b>{}<p>{}</p></div>\n", name, name,
                     value, range, meaning);
}

std::string integer_meaning(const Json& r) {
  if (r["accuracy"]["integer"].is_null())
    return "No integer form: " + escape(r["integer_refused"].get<std::string>()) + ".";
  const std::string origin =
      r["integer_from"] == "post_training"
          ? " The network was quantized after training, for this column only."
          : "";
  return "<strong>What ships.</strong> The integer engine, running the bytes of model.pare." +
         origin;
}

std::string accuracies(const Json& r) {
  const Json& a = r["accuracy"];
  const double images = r["dataset"]["test"].get<double>();
  const std::string float_meaning =
      a["float"].is_null()
          ? "No phase trained the network without compression."
          : "The dense network in float32, at the end of its last phase without compression.";
  return "<div class=\"cards\">" +
         accuracy_card("integer", a["integer"], images, integer_meaning(r)) +
         accuracy_card("fake_quant", a["fake_quant"], images,
                       "The compressed network in float32: masked, rounded to its grids.") +
         accuracy_card("float", a["float"], images, float_meaning) + "</div>\n";
}

std::string fact(const std::string& title, const std::string& value, const std::string& remark) {
  return fmt::format("<div><dt>{}</dt><dd><b>{}</b> <span>{}</span></dd></div>\n", title, value,
                     remark);
}

std::string integer_facts(const Json& r) {
  const auto model = r["bytes"]["model"].get<std::int64_t>();
  const auto floats = r["bytes"]["float32"].get<std::int64_t>();
  const Json& check = r["integer_check"];
  return fact(
             "zero weights", percent(r["sparsity"].get<double>()),
             percent(r["sparsity_by_mask"].get<double>()) + " by masks, the rest rounded to zero") +
         fact("model.pare", byte_count(model),
              fmt::format("{:.1f} times smaller than {} of float32",
                          static_cast<double>(floats) / static_cast<double>(model),
                          byte_count(floats))) +
         fact("work per image", grouped(r["effective_macs"].get<std::int64_t>()) + " MACs",
              fmt::format("with a weight that is not zero, of {}",
                          grouped(r["macs"].get<std::int64_t>()))) +
         fact("latency", time_dependent(fmt::format("{:.0f} µs", r["latency_us"].get<double>())),
              "one image, one thread, median") +
         fact("verified", fmt::format("{} differ", grouped(check["differing"].get<std::int64_t>())),
              fmt::format(
                  "of {} codes: {} tensors of {} test images, engine against trained network",
                  grouped(check["codes"].get<std::int64_t>()), check["tensors"].get<std::int64_t>(),
                  grouped(check["images"].get<std::int64_t>())));
}

// What pruning was asked for beside what it did, and what shrinking took away.
std::string pruning_facts(const Json& r) {
  std::string facts;
  for (const Json& p : r["pruning"]) {
    const std::string asked =
        p["asked"].is_null() ? "" : percent(p["asked"].get<double>()) + " asked for, by ";
    facts += fact("pruned", percent(p["pruned"].get<double>()),
                  asked + escape(p["method"].get<std::string>()) + ", granularity " +
                      escape(p["granularity"].get<std::string>()));
  }
  const Json& s = r["shrink"];
  if (s.is_null()) return facts;
  facts += fact("shrunk",
                grouped(s["macs"]["before"].get<std::int64_t>()) + " to " +
                    grouped(s["macs"]["after"].get<std::int64_t>()) + " MACs",
                fmt::format("{} to {} parameters; equal in integers",
                            grouped(s["parameters"]["before"].get<std::int64_t>()),
                            grouped(s["parameters"]["after"].get<std::int64_t>())));
  const Json& latency = s["latency_us"];
  if (latency["before"].is_null() || latency["after"].is_null()) return facts;
  return facts +
         fact("shrunk latency",
              time_dependent(fmt::format("{:.1f} to {:.1f} µs", latency["before"].get<double>(),
                                         latency["after"].get<double>())),
              "one image, one thread, median");
}

}  // namespace

std::string headline(const Json& r) {
  std::string facts;
  if (!r["accuracy"]["integer"].is_null()) facts = integer_facts(r);
  facts += pruning_facts(r);
  facts += fact("parameters", grouped(r["parameters"].get<std::int64_t>()), "of the final network");
  facts += fact("time", time_dependent(fmt::format("{:.0f} s", r["seconds"].get<double>())),
                "wall clock, verification included");
  return accuracies(r) + "<dl class=\"facts\">" + facts + "</dl>\n";
}

}  // namespace pare::report
