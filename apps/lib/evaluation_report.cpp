#include "apps/lib/evaluation_report.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

namespace pare {
namespace {

using config::Json;

constexpr int kWidestMatrix = 20;  // classes; a larger one is shown by its largest entries
constexpr std::size_t kMostMistakes = 10;

std::int64_t hits(const Labels& expected, const Labels& found) {
  std::int64_t count = 0;
  for (std::size_t i = 0; i < expected.size(); ++i) count += expected[i] == found[i];
  return count;
}

// Hits of one column; a recorded accuracy is a count over the same images.
std::optional<std::int64_t> hits_of(const Evaluation& e, const std::optional<Labels>& column) {
  return column ? std::optional(hits(e.expected, *column)) : std::nullopt;
}
std::optional<std::int64_t> float_hits(const Evaluation& e) {
  if (!e.float_accuracy) return std::nullopt;
  return std::llround(*e.float_accuracy * static_cast<double>(e.images()));
}

Json accuracy_json(std::optional<std::int64_t> found, std::int64_t n) {
  if (!found) return nullptr;
  const Interval interval = wilson(*found, n);
  return {{"value", static_cast<double>(*found) / static_cast<double>(n)},
          {"interval", {interval.low, interval.high}}};
}

// The column that the confusion matrix is made of: the integers, for they are the result.
const std::optional<Labels>& decisive(const Evaluation& e) {
  return e.integer ? e.integer : e.fake_quant;
}

Json share(const Confusion& counts, std::size_t label) {
  std::int64_t all = 0;
  for (const std::int64_t n : counts[label]) all += n;
  if (all == 0) return nullptr;
  return static_cast<double>(counts[label][label]) / static_cast<double>(all);
}

std::string line(std::string_view title, std::optional<std::int64_t> found, std::int64_t n,
                 const std::string& remark) {
  if (!found) return fmt::format("  {:<12}{:>9}                      {}\n", title, "-", remark);
  const Interval interval = wilson(*found, n);
  return fmt::format("  {:<12}{:>7.2f} %   {:>6.2f} .. {:>6.2f} %   {}\n", title,
                     100 * static_cast<double>(*found) / static_cast<double>(n), 100 * interval.low,
                     100 * interval.high, remark);
}

std::string percent_or_dash(const Json& value) {
  return value.is_null() ? "-" : fmt::format("{:.2f} %", 100 * value.get<double>());
}

std::string class_table(const Json& per_class) {
  std::string text =
      fmt::format("\n  {:>5}{:>9}{:>14}{:>12}\n", "class", "images", "fake_quant", "integer");
  for (const Json& row : per_class) {
    text += fmt::format("  {:>5}{:>9}{:>14}{:>12}\n", row["class"].get<int>(),
                        row["images"].get<std::int64_t>(), percent_or_dash(row["fake_quant"]),
                        percent_or_dash(row["integer"]));
  }
  return text;
}

std::string matrix(const Confusion& counts) {
  std::string text = "\n  true \\ found";
  for (std::size_t c = 0; c < counts.size(); ++c) text += fmt::format("{:>7}", c);
  text += '\n';
  for (std::size_t t = 0; t < counts.size(); ++t) {
    text += fmt::format("  {:>12}", t);
    for (const std::int64_t n : counts[t]) text += n ? fmt::format("{:>7}", n) : "      .";
    text += '\n';
  }
  return text;
}

// For many classes: what is mistaken for what most often.
std::string largest_mistakes(const Confusion& counts) {
  struct Mistake {
    std::int64_t count;
    std::size_t expected, found;
  };
  std::vector<Mistake> mistakes;
  for (std::size_t t = 0; t < counts.size(); ++t) {
    for (std::size_t f = 0; f < counts.size(); ++f) {
      if (t != f && counts[t][f] > 0) mistakes.push_back({counts[t][f], t, f});
    }
  }
  std::stable_sort(mistakes.begin(), mistakes.end(),
                   [](const Mistake& a, const Mistake& b) { return a.count > b.count; });
  std::string text = "\n  most frequent mistakes (images, true class, found class):\n";
  for (std::size_t i = 0; i < std::min(kMostMistakes, mistakes.size()); ++i) {
    text += fmt::format("  {:>7}{:>7}{:>7}\n", mistakes[i].count, mistakes[i].expected,
                        mistakes[i].found);
  }
  return text;
}

}  // namespace

Json to_json(const Evaluation& e) {
  Json json = {
      {"subject", e.subject},
      {"dataset",
       {{"kind", e.dataset}, {"source", e.source}, {"split", e.split}, {"images", e.images()}}},
      {"accuracy",
       {{"float", accuracy_json(float_hits(e), e.images())},
        {"fake_quant", accuracy_json(hits_of(e, e.fake_quant), e.images())},
        {"integer", accuracy_json(hits_of(e, e.integer), e.images())}}},
      {"float_from", e.float_from},
      {"integer_from", e.integer_from},
      {"per_class", Json::array()},
      {"confusion", nullptr},
      {"latency_us", nullptr}};
  const auto counts_of = [&](const std::optional<Labels>& column) {
    return column ? confusion(e.expected, *column, e.classes) : Confusion();
  };
  const Confusion fake_quant = counts_of(e.fake_quant), integer = counts_of(e.integer);
  for (int c = 0; c < e.classes; ++c) {
    const auto at = static_cast<std::size_t>(c);
    json["per_class"].push_back(
        {{"class", c},
         {"images", std::count(e.expected.begin(), e.expected.end(), c)},
         {"fake_quant", fake_quant.empty() ? Json() : share(fake_quant, at)},
         {"integer", integer.empty() ? Json() : share(integer, at)}});
  }
  json["confusion"] = {{"of", e.integer ? "integer" : "fake_quant"},
                       {"counts", counts_of(decisive(e))}};
  if (e.latency) json["latency_us"] = {{"median", e.latency->median}, {"p99", e.latency->p99}};
  return json;
}

std::string to_text(const Evaluation& e) {
  std::string text = fmt::format("{}: {} {} images of {} ({})\n\n", e.subject, e.images(), e.split,
                                 e.dataset, e.source);
  text += line("float", float_hits(e), e.images(), e.float_from);
  text += line("fake_quant", hits_of(e, e.fake_quant), e.images(),
               e.fake_quant ? "the ordinary float32 forward" : "a model holds integers only");
  text += line("integer", hits_of(e, e.integer), e.images(), e.integer_from);
  text += "  (with Wilson's 95 % interval)\n";
  if (e.latency) {
    text += fmt::format(
        "  latency     {:>7.0f} us   one image, one thread, median; {:.0f} us in 99 "
        "of 100 runs\n",
        e.latency->median, e.latency->p99);
  }
  text += class_table(to_json(e)["per_class"]);
  const Confusion counts = confusion(e.expected, *decisive(e), e.classes);
  text += fmt::format("\n  confusion of the {} column", e.integer ? "integer" : "fake_quant");
  return text + (e.classes <= kWidestMatrix ? matrix(counts) : largest_mistakes(counts));
}

}  // namespace pare
